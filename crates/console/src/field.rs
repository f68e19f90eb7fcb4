//! What is wrong with a form's field, said at the field.

use std::fmt::{Display, Formatter, Result};

use askama::filters::{Html, HtmlSafe, escape};

use crate::shell::{Failing, Shell};

/// The attributes of a field that is wrong; nothing for any other.
#[derive(Debug)]
pub struct Mark<'f>(Option<&'f str>);

/// The words at a field that is wrong; nothing for any other.
#[derive(Debug)]
pub struct Wrong<'f>(Option<(&'f str, &'f Failing)>);

impl Shell {
    /// Marks a field if it is what was refused.
    #[must_use]
    pub fn mark<'f>(&'f self, field: &'f str) -> Mark<'f> {
        Mark(self.refused(field).map(|_| field))
    }

    /// Says why a field was refused, if it was.
    #[must_use]
    pub fn wrong<'f>(&'f self, field: &'f str) -> Wrong<'f> {
        Wrong(self.refused(field).map(|failing| (field, failing)))
    }

    fn refused(&self, field: &str) -> Option<&Failing> {
        let failing = self.failing.as_ref()?;
        let named = failing.field.as_deref()?;
        // What the API calls `definition.owner`, core calls `owner`.
        let named = ["definition.", "rule.", "why."]
            .iter()
            .find_map(|prefix| named.strip_prefix(prefix))
            .unwrap_or(named);
        let rest = named.strip_prefix(field)?;
        (rest.is_empty() || rest.starts_with(['.', '['])).then_some(failing)
    }
}

impl Display for Mark<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Some(field) = self.0 else {
            return Ok(());
        };
        let Ok(field) = escape(field, Html);
        write!(
            f,
            " aria-invalid=\"true\" aria-describedby=\"wrong-{field}\""
        )
    }
}

impl Display for Wrong<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Some((field, failing)) = self.0 else {
            return Ok(());
        };
        let Ok(field) = escape(field, Html);
        let Ok(detail) = escape(&failing.detail, Html);
        write!(
            f,
            "<p class=\"wrong\" id=\"wrong-{field}\"><span aria-hidden=\"true\">✗</span> {detail}</p>"
        )
    }
}

impl HtmlSafe for Mark<'_> {}
impl HtmlSafe for Wrong<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_that_was_refused_is_marked_and_no_other() {
        let mut shell = Shell::bare("x", jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(shell.mark("owner").to_string(), "");
        for (named, field) in [
            ("definition.owner", "owner"),
            ("owner", "owner"),
            ("definition.variants.<b>", "variants"),
            ("rule.when", "when"),
            ("why.reason", "reason"),
        ] {
            shell.failing = Some(Failing {
                title: "no".to_owned(),
                detail: "<b>".to_owned(),
                field: Some(named.to_owned()),
            });
            assert!(
                shell.mark(field).to_string().contains("aria-invalid"),
                "{named}"
            );
            assert!(
                shell.wrong(field).to_string().contains("&#60;b&#62;"),
                "{named}"
            );
            assert_eq!(shell.mark("own").to_string(), "", "{named}");
        }
    }
}
