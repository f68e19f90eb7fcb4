//! The checks, from here towards the evaluators; each later one needs the earlier ones.

use jiff::Timestamp;
use leverframe_wire::admin::{Health, Token, Whoami};
use reqwest::Url;

use super::Check;
use crate::api::{ApiError, Client, is_loopback};
use crate::commands::token::role_word;
use crate::config::Source;
use crate::failure::Failure;
use crate::output::{ago, parse_time};
use crate::session::Session;

/// A clock that is further off than this makes ages and expiries misleading.
const SKEW_MS_MAX: i64 = 5_000;
/// A token that expires sooner than this is worth a word.
const EXPIRY_MS_MIN: i64 = 3 * 86_400_000;
/// An evaluator that was not heard for this long is not fresh.
const SILENT_MS_MAX: i64 = 60_000;

pub(super) async fn all(session: &Session) -> Result<Vec<Check>, Failure> {
    let mut checks = vec![settings(session)];
    for url in &session.config.servers.value {
        checks.push(transport(url));
    }
    let client = session.connect()?;
    let asked_at = Timestamp::now();
    match client.whoami().await {
        Ok(whoami) => {
            checks.push(Check::good("reach", reached(session)));
            checks.push(token(session, &whoami.token));
            checks.push(clock(&whoami, asked_at, Timestamp::now()));
            checks.push(version(&whoami.version));
            checks.extend(inside(&client).await);
        }
        Err(error) => checks.extend(unreached(session, error)),
    }
    Ok(checks)
}

fn reached(session: &Session) -> String {
    let urls: Vec<&str> = session
        .config
        .servers
        .value
        .iter()
        .map(Url::as_str)
        .collect();
    format!("{} answers", urls.join(" or "))
}

fn settings(session: &Session) -> Check {
    let config = &session.config;
    let source = &config.servers.source;
    let origin = match &config.token {
        None => format!("server from {source}, no token"),
        Some(token) if token.source == *source => format!("server and token from {source}"),
        Some(token) => format!("server from {source}, token from {}", token.source),
    };
    let environment = config
        .environment
        .as_ref()
        .map(|environment| {
            format!(
                ", environment {} from {}",
                environment.value, environment.source
            )
        })
        .unwrap_or_default();
    let detail = format!("{origin}{environment}");
    // A file that others can read has stopped this command already, unless flags and variables
    // said all; then it is a remark.
    if config.remarks.is_empty() {
        let kept = match config.token.as_ref().map(|token| &token.source) {
            Some(Source::Project(_) | Source::File(_) | Source::Profile(_)) => {
                "; the token is readable by you only"
            }
            _ => "",
        };
        Check::good("settings", detail + kept)
    } else {
        Check::bad("settings", detail, config.remarks.join("; "))
    }
}

fn transport(url: &Url) -> Check {
    if url.scheme() == "https" {
        Check::good("transport", format!("{url} is encrypted"))
    } else if is_loopback(url) {
        Check::good("transport", format!("{url} stays on this machine"))
    } else {
        Check::bad(
            "transport",
            format!("{url} shows the token to everybody on the way"),
            "use https: give `lever serve` a certificate, or put a proxy in front of it",
        )
    }
}

fn token(session: &Session, token: &Token) -> Check {
    let places = if token.environments.is_empty() {
        "every environment".to_owned()
    } else {
        token.environments.join(", ")
    };
    let detail = format!(
        "{} ({}) · {} · {places}",
        token.name,
        token.id,
        role_word(token.role)
    );
    let Some(expires_at) = token.expires_at.as_deref() else {
        return Check::good("token", detail);
    };
    let now = Timestamp::now();
    let detail = format!("{detail} · expires {}", ago(expires_at, now));
    let left_ms =
        parse_time(expires_at).map_or(i64::MAX, |at| at.as_millisecond() - now.as_millisecond());
    if left_ms > EXPIRY_MS_MIN {
        return Check::good("token", detail);
    }
    let source = session
        .config
        .token
        .as_ref()
        .map_or_else(String::new, |token| {
            format!(" and put it into {}", token.source)
        });
    Check::bad(
        "token",
        detail,
        format!("make another one, `lever token create`,{source}"),
    )
}

fn clock(whoami: &Whoami, asked_at: Timestamp, answered_at: Timestamp) -> Check {
    let Some(server) = parse_time(&whoami.now) else {
        return Check::bad(
            "clock",
            format!("the server's time is unreadable: {}", whoami.now),
            "are `lever` and the server of the same version?",
        );
    };
    // The server read its clock somewhere between question and answer.
    let server = server.as_millisecond();
    let (asked_at, answered_at) = (asked_at.as_millisecond(), answered_at.as_millisecond());
    let skew_ms = if server < asked_at {
        asked_at - server
    } else {
        (server - answered_at).max(0)
    };
    if skew_ms <= SKEW_MS_MAX {
        Check::good(
            "clock",
            format!("at most {skew_ms} ms apart from the server's"),
        )
    } else {
        Check::bad(
            "clock",
            format!("{} s apart from the server's", skew_ms / 1_000),
            "set both by NTP; ages and expiries are told by the clock",
        )
    }
}

fn version(server: &str) -> Check {
    let own = env!("CARGO_PKG_VERSION");
    // 0.1.x and 0.1.y understand each other, as do 1.x and 1.y.
    let line = |version: &str| {
        let mut parts = version.split('.').map(str::to_owned);
        let major = parts.next();
        let minor = parts.next().filter(|_| major.as_deref() == Some("0"));
        (major, minor)
    };
    if line(server) == line(own) {
        Check::good("version", format!("lever {own}, server {server}"))
    } else {
        Check::bad(
            "version",
            format!("lever {own}, server {server}"),
            "use a lever of the server's version",
        )
    }
}

async fn inside(client: &Client) -> Vec<Check> {
    let mut checks = match client.health().await {
        Ok(health) => health_checks(&health),
        Err(error) => vec![Check::bad(
            "health",
            error.to_string(),
            "the server's log says more",
        )],
    };
    match client.environments().await {
        Ok(list) => {
            for environment in list.environments {
                checks.push(roll(client, &environment.key).await);
            }
        }
        Err(error) => checks.push(Check::bad(
            "roll",
            error.to_string(),
            "use a token that may read environments",
        )),
    }
    checks
}

fn health_checks(health: &Health) -> Vec<Check> {
    let commit = health
        .last_commit_ms
        .map(|ms| format!(", last write {ms:.1} ms"))
        .unwrap_or_default();
    let detail = format!(
        "{} at r{}, up {} s{commit}",
        health.store, health.revision, health.uptime_s
    );
    let mut checks = vec![if health.writable {
        Check::good("store", detail)
    } else {
        Check::bad(
            "store",
            format!("{detail}: takes no changes now"),
            "kills still go out and are stored later; look at the disk or database of the server",
        )
    }];
    checks.extend(
        health
            .problems
            .iter()
            .map(|problem| Check::bad("health", problem.clone(), "the server's log says more")),
    );
    checks
}

async fn roll(client: &Client, environment: &str) -> Check {
    let fleet = match client.fleet(environment).await {
        Ok(fleet) => fleet,
        Err(error) => {
            return Check::bad(
                "roll",
                format!("{environment}: {error}"),
                "use a token that may read this environment",
            );
        }
    };
    let count = fleet.evaluators.len();
    let stale: Vec<&str> = fleet
        .evaluators
        .iter()
        .filter(|one| !one.connected || !one.current || one.silent_ms > SILENT_MS_MAX)
        .map(|one| one.instance.as_str())
        .collect();
    let refusing: Vec<&str> = fleet
        .evaluators
        .iter()
        .filter(|one| !one.refused.is_empty())
        .map(|one| one.instance.as_str())
        .collect();
    if !stale.is_empty() {
        Check::bad(
            "roll",
            format!(
                "{environment}: {} of {count} are not fresh: {}",
                stale.len(),
                stale.join(", ")
            ),
            format!(
                "`lever fleet -e {environment}` says since when; a kill waits for each of them"
            ),
        )
    } else if refusing.is_empty() {
        let detail = match count {
            0 => format!("nobody follows {environment}"),
            _ => format!(
                "{environment}: {count} evaluators, all at r{}",
                fleet.revision
            ),
        };
        Check::good("roll", detail)
    } else {
        Check::bad(
            "roll",
            format!(
                "{environment}: {} cannot decide every flag",
                refusing.join(", ")
            ),
            format!(
                "`lever fleet -e {environment}` says which; a newer client library understands more"
            ),
        )
    }
}

fn unreached(session: &Session, error: ApiError) -> Vec<Check> {
    let source = &session.config.servers.source;
    let detail = error.to_string();
    match error {
        ApiError::Problem { problem, .. } if problem.status == 401 => vec![
            Check::good("reach", reached(session)),
            match session.config.token.as_ref() {
                Some(token) => Check::bad(
                    "token",
                    detail,
                    format!(
                        "make another one and put it where this one is: {}",
                        token.source
                    ),
                ),
                None => Check::bad(
                    "token",
                    "there is none",
                    "set LEVER_TOKEN, or put it into $XDG_CONFIG_HOME/lever/config.toml",
                ),
            },
        ],
        ApiError::Problem { .. } => vec![
            Check::good("reach", reached(session)),
            Check::bad("token", detail, "use a token of another role"),
        ],
        ApiError::Unreachable { why, .. } => {
            let why = why.to_lowercase();
            let advice = if why.contains("certificate") || why.contains("unknownissuer") {
                "the certificate is not trusted here: give its authority with --ca-file, or check the name"
                    .to_owned()
            } else if why.contains("refused") {
                format!(
                    "nothing listens there: is the server up, and is the URL right? It comes from {source}"
                )
            } else if why.contains("in time") {
                "a firewall may drop it; is the URL reachable from here?".to_owned()
            } else {
                format!("is the URL right? It comes from {source}")
            };
            vec![Check::bad("reach", detail, advice)]
        }
        ApiError::Foreign { .. } | ApiError::Unsendable { .. } => vec![Check::bad(
            "reach",
            detail,
            format!("something else answers there; the URL comes from {source}"),
        )],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whoami(now: &str) -> Whoami {
        serde_json::from_value(serde_json::json!({
            "token": {"id": "tok_1", "name": "ci", "role": "brake", "environments": [], "keys": [],
                "created_at": now},
            "version": "0.1.0", "journal": "j", "epoch": 1, "revision": 1, "now": now,
        }))
        .unwrap()
    }

    #[test]
    fn a_clock_is_wrong_only_by_what_the_way_does_not_explain() {
        let time = |text: &str| parse_time(text).unwrap();
        let (asked, answered) = (time("2026-11-21T12:00:00Z"), time("2026-11-21T12:00:09Z"));
        assert!(clock(&whoami("2026-11-21T12:00:04Z"), asked, answered).ok);
        assert!(clock(&whoami("2026-11-21T12:00:13Z"), asked, answered).ok);
        assert!(!clock(&whoami("2026-11-21T12:00:15Z"), asked, answered).ok);
        assert!(!clock(&whoami("2026-11-21T11:59:54Z"), asked, answered).ok);
        assert!(!clock(&whoami("noon"), asked, answered).ok);
    }

    #[test]
    fn a_token_in_the_clear_is_wrong_unless_it_stays_here() {
        let ok = |url: &str| transport(&Url::parse(url).unwrap()).ok;
        assert!(ok("https://lever.example"));
        assert!(ok("http://127.0.0.1:5387"));
        assert!(ok("http://[::1]:5387"));
        assert!(ok("http://localhost:5387"));
        assert!(!ok("http://lever.example"));
        assert!(!ok("http://127.0.0.1.evil.example"));
    }

    #[test]
    fn versions_of_one_line_understand_each_other() {
        assert!(version(env!("CARGO_PKG_VERSION")).ok);
        assert!(version("0.1.99").ok);
        assert!(!version("0.2.0").ok);
        assert!(!version("1.1.0").ok);
    }
}
