//! Changes without the command line: many in a second, each with its revision.

use serde_json::{Value, json};

use super::{Bench, Call};

/// What an edit moves `stale_after_s` to and fro from: long enough to matter to nobody.
const EVEN_S: u32 = 7_200;

impl Bench {
    /// Opens `flag` to everybody in prod.
    #[track_caller]
    pub(crate) fn open(&self, flag: &str) -> u64 {
        let path = format!("/api/v1/flags/{flag}/environments/prod");
        let lever = self.call(&Call::get(&path)).unwrap().ok();
        let body = json!({"exposure": {"percentage": 100}, "why": {"reason": "soak"}});
        let call = Call::post(&format!("{path}/open"), body);
        self.made(&call.header("if-match", &format!("\"r{}\"", lever["revision"])))
    }

    /// Closes `flag` in prod.
    #[track_caller]
    pub(crate) fn kill(&self, flag: &str) -> u64 {
        self.made(&kill(flag))
    }

    /// Gives `flag` another description, and something that its evaluators have to hear of.
    #[track_caller]
    pub(crate) fn edit(&self, flag: &str, description: &str) -> u64 {
        self.made(&self.edited(flag, description))
    }

    /// That edit, of `flag` as it is now.
    #[track_caller]
    pub(crate) fn edited(&self, flag: &str, description: &str) -> Call {
        let path = format!("/api/v1/flags/{flag}");
        let shown = self.call(&Call::get(&path)).unwrap().ok();
        let mut definition = shown["definition"].clone();
        definition["description"] = json!(description);
        let is_even = definition["stale_after_s"] == json!(EVEN_S);
        definition["stale_after_s"] = json!(if is_even { EVEN_S + 1 } else { EVEN_S });
        let body = json!({"definition": definition, "why": {"reason": description}});
        let etag = format!("\"r{}\"", shown["defined_revision"]);
        Call::put(&path, body).header("if-match", &etag)
    }

    /// The revision that a change became.
    #[track_caller]
    fn made(&self, call: &Call) -> u64 {
        let receipt: Value = self.call(call).unwrap().ok();
        receipt["revision"].as_u64().unwrap()
    }
}

/// The request that closes `flag` in prod.
pub(crate) fn kill(flag: &str) -> Call {
    let body = json!({"flags": [flag], "why": {"reason": "INC-412"}});
    Call::post("/api/v1/environments/prod/kill", body)
}
