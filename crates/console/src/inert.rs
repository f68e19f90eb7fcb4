//! Characters that act or hide instead of showing something: nobody can turn the reading direction of
//! a page, hide a letter in a name, or write a terminal's commands into what is copied from one.
//!
//! [`document`] writes them out in every page, so no template has to think of it. A field that sends its
//! text back, such as a `<textarea>` with a definition, needs the text itself: put it there by
//! [`exact`].

use std::borrow::Cow;
use std::fmt::{Display, Formatter, Result};

use askama::Template;
use askama::filters::{Html, HtmlSafe, escape};

/// A page as it goes out.
///
/// # Errors
/// When the template cannot be rendered.
pub fn document(page: &impl Template) -> askama::Result<String> {
    let html = page.render()?;
    match inert(&html) {
        Cow::Borrowed(_) => Ok(html),
        Cow::Owned(html) => Ok(html),
    }
}

/// A text with every character that acts or hides written out: `\u{202e}`.
#[must_use]
pub fn inert(text: &str) -> Cow<'_, str> {
    if !text.contains(is_active) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 64);
    for c in text.chars() {
        if is_active(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// A text for the value of a field, or within a `<textarea>`: escaped, and after the browser has read
/// it the same to the last character.
#[must_use]
pub fn exact(text: &str) -> Exact<'_> {
    Exact(text)
}

/// What [`exact`] gives.
#[derive(Debug, Clone, Copy)]
pub struct Exact<'t>(&'t str);

impl Display for Exact<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for c in self.0.chars() {
            if is_active(c) {
                write!(f, "&#{};", u32::from(c))?;
            } else {
                let Ok(c) = escape(c, Html);
                write!(f, "{c}")?;
            }
        }
        Ok(())
    }
}

impl HtmlSafe for Exact<'_> {}

/// Whether a character does something instead of showing something. The same as on the terminal
/// (`lever`'s output), but for the line feeds and tabs that a page is made of.
fn is_active(c: char) -> bool {
    if matches!(c, '\n' | '\t') {
        return false;
    }
    c.is_control()
        || matches!(
            c,
            // Soft hyphen, Arabic letter mark, Mongolian vowel separator.
            '\u{ad}' | '\u{61c}' | '\u{180e}'
            // Zero-width spaces and joiners, left-to-right and right-to-left marks.
            | '\u{200b}'..='\u{200f}'
            // Line and paragraph separators, embeddings and overrides.
            | '\u{2028}'..='\u{202e}'
            // Invisible operators, isolates, deprecated format characters.
            | '\u{2060}'..='\u{206f}'
            // Byte order mark, interlinear annotations.
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            // Tags.
            | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Template)]
    #[template(
        source = "<p title=\"{{ name }}\">{{ name }}</p><input value=\"{{ crate::inert::exact(name) }}\">",
        ext = "html"
    )]
    struct Page {
        name: String,
    }

    #[test]
    fn what_acts_is_written_out_everywhere_but_in_the_fields_that_send_it_back() {
        let page = Page {
            name: "a\u{202e}\u{1b}[31m\"<b\u{200d}".to_owned(),
        };
        assert_eq!(
            document(&page).unwrap(),
            "<p title=\"a\\u{202e}\\u{1b}[31m&#34;&#60;b\\u{200d}\">a\\u{202e}\\u{1b}[31m&#34;&#60;b\\u{200d}</p>\
             <input value=\"a&#8238;&#27;[31m&#34;&#60;b&#8205;\">"
        );
    }

    #[test]
    fn what_a_person_can_read_stays_as_it_is() {
        for text in [
            "Größe – ok",
            "結帳",
            "12\u{202f}345 ✓ ▲ →",
            "שלום",
            "a\n\tb",
            "",
        ] {
            assert_eq!(inert(text), text);
        }
    }

    #[test]
    fn the_templates_themselves_have_nothing_that_acts() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(inert(&text), text, "{}", path.display());
        }
    }
}
