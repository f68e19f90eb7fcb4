//! Runbooks: markdown that people wrote, as markup in which nothing acts.

use std::collections::HashSet;
use std::fmt::{Display, Formatter, Result};
use std::sync::LazyLock;

use ammonia::Builder;
use askama::filters::HtmlSafe;
use pulldown_cmark::{Options, Parser, html};

/// Most bytes of a text that are rendered; the rest is left out.
const BYTES_MAX: usize = 20_000;

/// A text as sanitised markup.
#[derive(Debug, Clone)]
pub struct Markdown(String);

impl Markdown {
    /// Renders CommonMark and keeps what only formats: no picture, no script, no style, no form; links
    /// to http, https and mail alone.
    #[must_use]
    pub fn new(text: &str) -> Self {
        static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
            let mut cleaner = Builder::default();
            cleaner
                .tags(HashSet::from([
                    "p",
                    "br",
                    "em",
                    "strong",
                    "code",
                    "pre",
                    "ul",
                    "ol",
                    "li",
                    "blockquote",
                    "a",
                    "h1",
                    "h2",
                    "h3",
                    "h4",
                    "hr",
                ]))
                .generic_attributes(HashSet::new())
                .url_schemes(HashSet::from(["http", "https", "mailto"]))
                .url_relative(ammonia::UrlRelative::Deny)
                .link_rel(Some("noopener noreferrer nofollow"));
            cleaner
        });
        let text = text
            .get(..text.floor_char_boundary(BYTES_MAX))
            .unwrap_or("");
        // A page has one first heading, and it is not this.
        let parser = Parser::new_ext(text, Options::empty()).map(lower_headings);
        let mut markup = String::new();
        html::push_html(&mut markup, parser);
        Self(CLEANER.clean(&markup).to_string())
    }
}

/// Longest sentence that is taken out of a text, in bytes.
const SENTENCE_BYTES_MAX: usize = 300;

/// The first sentence of a text, without its formatting; headings are none. `None` when it has none.
#[must_use]
pub fn first_sentence(text: &str) -> Option<String> {
    use pulldown_cmark::{Event, Tag, TagEnd};
    let text = text
        .get(..text.floor_char_boundary(BYTES_MAX))
        .unwrap_or("");
    let mut sentence = String::new();
    let mut is_heading = false;
    for event in Parser::new_ext(text, Options::empty()) {
        match event {
            Event::Start(Tag::Heading { .. }) => is_heading = true,
            Event::End(TagEnd::Heading(_)) => is_heading = false,
            Event::Text(part) | Event::Code(part) | Event::Html(part) | Event::InlineHtml(part)
                if !is_heading =>
            {
                sentence.push_str(&part);
            }
            Event::SoftBreak | Event::HardBreak if !is_heading => sentence.push(' '),
            Event::End(TagEnd::Paragraph | TagEnd::Item) if !sentence.trim().is_empty() => break,
            _ => {}
        }
    }
    let sentence = sentence.trim();
    let end = [". ", "! ", "? "]
        .iter()
        .filter_map(|end| sentence.find(end))
        .min()
        .map_or(sentence.len(), |end| end + 1);
    let cut = sentence.floor_char_boundary(end.min(SENTENCE_BYTES_MAX));
    let first = sentence.get(..cut).unwrap_or(sentence);
    match first.is_empty() {
        true => None,
        false if cut < end => Some(format!("{first}…")),
        false => Some(first.to_owned()),
    }
}

fn lower_headings(event: pulldown_cmark::Event<'_>) -> pulldown_cmark::Event<'_> {
    use pulldown_cmark::{Event, HeadingLevel, Tag, TagEnd};
    let lower = |level| match level {
        HeadingLevel::H1 => HeadingLevel::H3,
        _ => HeadingLevel::H4,
    };
    match event {
        Event::Start(Tag::Heading {
            level,
            id,
            classes,
            attrs,
        }) => Event::Start(Tag::Heading {
            level: lower(level),
            id,
            classes,
            attrs,
        }),
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(lower(level))),
        // What looks like HTML is text.
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        other => other,
    }
}

impl Display for Markdown {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Markdown {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_formats_stays_and_what_acts_goes() {
        let html = Markdown::new(
            "# Close it\n\nCloses **checkout**; see [here](https://wiki.test/x).\n\n[a](javascript:alert(1)) ![x](https://evil.test/p.png) <script>alert(1)</script>",
        )
        .to_string();
        assert!(html.contains("<h3>Close it</h3>"), "{html}");
        assert!(html.contains("<strong>checkout</strong>"), "{html}");
        assert!(html.contains("href=\"https://wiki.test/x\""), "{html}");
        for bad in ["javascript:", "<img", "<script", "<h1"] {
            assert!(!html.contains(bad), "{bad}: {html}");
        }
    }

    #[test]
    fn the_first_sentence_is_said_without_its_formatting() {
        for (text, sentence) in [
            ("", None),
            ("# Only a heading", None),
            (
                "# Checkout\n\nBack to the **legacy** path; `3ds` off. Then call pay.\n\nMore.",
                Some("Back to the legacy path; 3ds off."),
            ),
            ("- first\n- second", Some("first")),
            (
                "No stop at the end\nof it",
                Some("No stop at the end of it"),
            ),
            ("<b>x</b> y", Some("<b>x</b> y")),
        ] {
            assert_eq!(first_sentence(text).as_deref(), sentence, "{text}");
        }
        assert!(first_sentence(&"é".repeat(1_000)).unwrap().ends_with('…'));
    }

    proptest! {
        #[test]
        fn nothing_that_acts_ever_comes_out(text in "[\\[\\]()<>a-z!\"'=:/ #*`\\n&;-]{0,200}") {
            let html = Markdown::new(&text).to_string();
            let mut rest = html.as_str();
            while let Some(start) = rest.find('<') {
                rest = &rest[start + 1..];
                let name: String = rest.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
                prop_assert!(["p", "br", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "a", "h3", "h4", "hr"].contains(&name.as_str()), "{name}: {html}");
                let tag = rest.split('>').next().unwrap_or_default();
                for attribute in ["onclick", "style=", "src="] {
                    prop_assert!(!tag.contains(attribute) || tag.contains("href=\""), "{html}");
                }
            }
        }
    }
}
