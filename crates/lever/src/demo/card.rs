//! What is said at the end of the demo's rollout: why, how many, who knows, and what to type now.

use super::pager::Page;
use super::plan::PLAN;
use super::report::{Outcome, RolloutReport};
use super::setup::{ENVIRONMENT, FLAG};
use crate::output::{Tone, inert, paint};

/// The card. `lever` is how the program is called from here.
pub(crate) fn card(report: &RolloutReport, pages: &[Page], lever: &str) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        headline(report),
        sentence(report),
        String::new(),
    ];
    let mut fact = |name: &str, text: String| lines.push(format!("    {name:<12}{text}"));
    fact("users hit", users(report));
    fact("confirmed", confirmed(report));
    fact("paged", paged(pages));
    if report.outcome == Outcome::RolledBack {
        fact("why at 5 %", why().to_owned());
    }
    lines.extend([
        String::new(),
        "  Three commands for a second terminal:".to_owned(),
        String::new(),
    ]);
    lines.extend(commands(lever));
    lines
}

/// What can be typed now, ready to paste.
fn commands(lever: &str) -> [String; 3] {
    [
        format!("    {lever} rollout explain {FLAG} -e {ENVIRONMENT}"),
        format!(
            "    {lever} rollout start {FLAG} -e {ENVIRONMENT} --plan {PLAN} --again -r \"once more\""
        ),
        format!("    {lever} kill {FLAG} -e {ENVIRONMENT} -r \"INC-412 5xx\""),
    ]
}

fn headline(report: &RolloutReport) -> String {
    let after = |seconds: Option<f64>| {
        seconds.map_or_else(String::new, |after| {
            format!(" {after:.1} s after the start")
        })
    };
    let (tone, text) = match report.outcome {
        Outcome::RolledBack => (
            Tone::Bad,
            format!(
                "■ ROLLED BACK at the {} stage{}",
                report.stage,
                after(report.convicted_after_s)
            ),
        ),
        Outcome::Completed => (
            Tone::Good,
            format!("✓ DONE, open for everybody{}", after(report.took_s)),
        ),
        Outcome::Ended => (Tone::Braked, "□ ENDED by hand".to_owned()),
        Outcome::Unfinished => (Tone::Braked, "‖ NOT OVER in time".to_owned()),
    };
    format!("  {}", paint(tone, &text))
}

fn sentence(report: &RolloutReport) -> String {
    format!("  {}", inert(&report.sentence))
}

fn users(report: &RolloutReport) -> String {
    let to_the_end = match report.outcome {
        Outcome::RolledBack => ", up to the moment the last evaluator had closed",
        Outcome::Completed | Outcome::Ended | Outcome::Unfinished => "",
    };
    format!(
        "{} of {} who were exposed{to_the_end}; the shop's own count says {}",
        report.users_hit, report.exposed, report.users_hit_by_the_shop
    )
}

fn confirmed(report: &RolloutReport) -> String {
    let took = report
        .confirm_ms
        .map_or_else(String::new, |ms| format!(" in {:.1} ms", ms.max));
    format!(
        "{}/{} evaluators at r{}{took}",
        report.confirmed, report.evaluators, report.revision
    )
}

/// By what the pager took, not by what was meant to be sent.
fn paged(pages: &[Page]) -> String {
    let Some(first) = pages.first() else {
        return "nobody".to_owned();
    };
    let times = match pages.len() {
        1 => "once".to_owned(),
        times => format!("{times} times"),
    };
    format!(
        "the on-call of {}, {times}: “{}” (a pager of this demo; nobody was woken)",
        inert(&first.words.owner),
        inert(&first.words.title)
    )
}

/// What the model of the release does, which nobody told the server.
fn why() -> &'static str {
    "each new checkout keeps a payment session for a second, and there are ten of them"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::pager::PageWords;

    fn report() -> RolloutReport {
        RolloutReport {
            scenario: "bad-release",
            seed: 7,
            flag: FLAG,
            environment: ENVIRONMENT,
            rollout: "ro_1".to_owned(),
            outcome: Outcome::RolledBack,
            stage: "5 %".to_owned(),
            convicted_after_s: Some(14.25),
            took_s: Some(14.25),
            verdict: "bad",
            sentence: "4.1 % of users on new-checkout fail\u{1b}[2J".to_owned(),
            revision: 12,
            evaluators: 12,
            confirmed: 12,
            confirm_ms: None,
            exposed: 94,
            users_hit: 9,
            users_hit_by_the_shop: 9,
            late: 0,
            pages: 1,
            kept: true,
        }
    }

    #[test]
    fn a_card_says_why_how_many_who_knows_and_what_to_type() {
        let page = Page {
            id: "ro_1-r12-page".to_owned(),
            words: PageWords {
                title: "new-checkout was rolled back in prod".to_owned(),
                sentence: String::new(),
                owner: "team-pay".to_owned(),
            },
        };
        let text = card(&report(), &[page], "./lever").join("\n");
        let text = anstream::adapter::strip_str(&text).to_string();
        for part in [
            "■ ROLLED BACK at the 5 % stage 14.2 s after the start",
            "4.1 % of users on new-checkout fail",
            "9 of 94 who were exposed",
            "the shop's own count says 9",
            "12/12 evaluators at r12",
            "the on-call of team-pay, once: “new-checkout was rolled back in prod”",
            "    ./lever rollout explain new-checkout -e prod\n",
            "    ./lever kill new-checkout -e prod -r \"INC-412 5xx\"",
        ] {
            assert!(text.contains(part), "{part}:\n{text}");
        }
        assert!(
            !text.contains('\u{1b}'),
            "nothing in it drives the terminal"
        );
    }

    #[test]
    fn whoever_was_not_paged_is_not_said_to_be() {
        assert_eq!(paged(&[]), "nobody");
    }
}
