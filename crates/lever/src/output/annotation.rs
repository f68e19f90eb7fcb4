//! Annotations of a run of GitHub Actions: how a wait or a gate ended stands on the run's page.

use std::io::Write as _;

use super::inert;
use crate::exit::Exit;

/// Says on stderr how it ended, in the form that GitHub Actions reads, if this is a run there.
pub(crate) fn annotate(is_github: bool, exit: Exit, title: &str, sentence: &str) {
    if is_github {
        // Nothing can be told when stderr itself is gone.
        let _ = writeln!(
            anstream::stderr().lock(),
            "{}",
            annotation(exit, title, sentence)
        );
    }
}

fn annotation(exit: Exit, title: &str, sentence: &str) -> String {
    let command = match exit {
        Exit::Done => "notice",
        Exit::Pending => "warning",
        _ => "error",
    };
    format!(
        "::{command} title={}::{}",
        property(&inert(title)),
        data(&inert(sentence))
    )
}

/// A message ends at the line, and a per cent sign begins an escape.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property also ends at a colon or a comma.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_an_annotation_that_nothing_in_it_can_end_early() {
        assert_eq!(
            annotation(Exit::Done, "rollout", "checkout is open to 100 %"),
            "::notice title=rollout::checkout is open to 100 %25"
        );
        assert_eq!(
            annotation(Exit::Gate, "a:b,c", "x\n::error::forged"),
            "::error title=a%3Ab%2Cc::x\\n::error::forged"
        );
        assert!(annotation(Exit::Pending, "t", "s").starts_with("::warning "));
    }
}
