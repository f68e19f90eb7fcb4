//! Every segment.

use askama::Template;
use leverframe_wire::admin::{Segment, SegmentList};

use crate::Link;
use crate::plain::condition;
use crate::shell::Shell;
use crate::text::count;

/// The segments, a page of them.
#[derive(Debug, Template)]
#[template(path = "segments.html")]
pub struct Segments {
    /// Around it.
    pub shell: Shell,
    /// This page of them.
    pub segments: SegmentList,
    /// What is looked for.
    pub search: String,
    /// The last key of the page before.
    pub after: String,
    /// Whether this visitor may make segments.
    pub is_editor: bool,
}

impl Segments {
    fn link(&self, key: &str) -> Link {
        self.shell.link(["segments", key])
    }

    fn first(&self) -> Link {
        self.shell
            .link(["segments"])
            .with_some("q", Some(&self.search))
    }

    fn next(&self) -> Option<Link> {
        let next = self.segments.next.as_ref()?;
        Some(self.first().with("after", next))
    }
}

/// Who belongs to a segment, in a sentence.
pub(super) fn members(segment: &Segment) -> String {
    let definition = &segment.definition;
    let mut said = Vec::new();
    if let Some(when) = &definition.when {
        said.push(format!("everybody if {}", condition(when)));
    }
    if !definition.include.is_empty() {
        let users = count(&definition.include.len(), "user by name", "users by name");
        said.push(users);
    }
    let who = match said.as_slice() {
        [] => "nobody".to_owned(),
        said => said.join(", and "),
    };
    match definition.exclude.len() {
        0 => who,
        excluded => format!("{who}; never {}", count(&excluded, "user", "users")),
    }
}
