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
