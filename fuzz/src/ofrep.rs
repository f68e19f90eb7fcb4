//! The body of an OFREP question. The context that is read is the one that a reader of plain JSON
//! finds in it, and what is refused is refused by that reader too.

use leverframe_flags::Context;
use leverframe_server::fuzz;
use serde_json::Value as Json;

pub fn check(bytes: &[u8]) {
    let ours = fuzz::ofrep_context(bytes);
    let plain = plain(bytes);
    match (ours, plain) {
        (Ok(ours), Some(plain)) => assert_eq!(ours, plain),
        (Ok(ours), None) => panic!("only we can read it: {ours:?}"),
        (Err(why), Some(plain)) => assert!(
            fuzz::has_a_name_twice(bytes),
            "only we cannot read it: {why}: {plain:?}"
        ),
        (Err(why), None) => assert!(!why.is_empty()),
    }
}

fn plain(bytes: &[u8]) -> Option<Context> {
    let body: Json = serde_json::from_slice(bytes).ok()?;
    let context = match body.as_object()?.get("context") {
        None | Some(Json::Null) => return Some(Context::anonymous()),
        Some(context) => context,
    };
    Context::from_json(context).ok()
}
