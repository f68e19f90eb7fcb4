//! Which builds of which applications follow an environment.

use std::collections::BTreeSet;

use leverframe_core::Timestamp;
use leverframe_core::limit::SILENT_MS;
use leverframe_core::roll::Member;

/// The builds of those heard lately, as `application build`.
pub(crate) fn builds(members: &[Member], now: Timestamp) -> BTreeSet<Box<str>> {
    members
        .iter()
        .filter(|member| is_fresh(member, now))
        .map(|member| format!("{} {}", member.application, member.build).into())
        .collect()
}

/// Whether an evaluator was heard lately.
pub(crate) fn is_fresh(member: &Member, now: Timestamp) -> bool {
    member.is_connected && now.ms_since(member.last_seen) <= 3 * SILENT_MS
}

/// A build that was not there when the stage began, of an application that was: its deployment has
/// begun, and what is seen from now on is of another program.
pub(super) fn new_build(known: &BTreeSet<Box<str>>, now: &BTreeSet<Box<str>>) -> Option<Box<str>> {
    let application = |build: &str| build.split(' ').next().map(str::to_owned);
    let is_known = |build: &str| {
        let own = application(build);
        known.iter().any(|known| application(known) == own)
    };
    now.iter()
        .find(|build| !known.contains(*build) && is_known(build))
        .cloned()
}
