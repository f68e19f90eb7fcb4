//! Addresses within the console.

use std::fmt::{Display, Formatter, Result};

use askama::filters::HtmlSafe;

/// A path with a query. Names and values are encoded as they are put in, and nothing in it needs
/// escaping in HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    text: String,
    has_query: bool,
    fragment: String,
}

impl Link {
    /// A path of segments, each encoded: `Link::to(["flags", key])` is `/flags/{key}`.
    pub fn to<S: AsRef<str>>(segments: impl IntoIterator<Item = S>) -> Self {
        let mut text = String::new();
        for segment in segments {
            text.push('/');
            encode(segment.as_ref(), &mut text);
        }
        if text.is_empty() {
            text.push('/');
        }
        Self {
            text,
            has_query: false,
            fragment: String::new(),
        }
    }

    /// With a parameter more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Display) -> Self {
        self.text.push(if self.has_query { '&' } else { '?' });
        self.has_query = true;
        encode(name, &mut self.text);
        self.text.push('=');
        encode(&value.to_string(), &mut self.text);
        self
    }

    /// With a parameter more where there is a value that is not empty.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl Display>) -> Self {
        match value.map(|value| value.to_string()) {
            Some(value) if !value.is_empty() => self.with(name, value),
            _ => self,
        }
    }

    /// Leading to a place on the page.
    #[must_use]
    pub fn at(mut self, fragment: &str) -> Self {
        self.fragment = fragment.to_owned();
        self
    }
}

impl Display for Link {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        // An ampersand is the one character of an address that HTML minds.
        let mut parts = self.text.split('&');
        f.write_str(parts.next().unwrap_or_default())?;
        for part in parts {
            write!(f, "&amp;{part}")?;
        }
        if !self.fragment.is_empty() {
            let mut fragment = String::new();
            encode(&self.fragment, &mut fragment);
            write!(f, "#{fragment}")?;
        }
        Ok(())
    }
}

impl HtmlSafe for Link {}

impl Link {
    /// As it stands in a `Location` header.
    #[must_use]
    pub fn location(&self) -> String {
        let mut location = self.text.clone();
        if !self.fragment.is_empty() {
            location.push('#');
            encode(&self.fragment, &mut location);
        }
        location
    }
}

/// Percent-encodes everything but what RFC 3986 calls unreserved.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                const DIGITS: [char; 16] = [
                    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
                ];
                let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('0');
                out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_put_in_stays_one_value() {
        let link = Link::to(["flags", "a/../b"])
            .with("q", "\"><b>&x=1#")
            .with_some("owner", Some(""))
            .with("env", "prod");
        assert_eq!(
            link.location(),
            "/flags/a%2F..%2Fb?q=%22%3E%3Cb%3E%26x%3D1%23&env=prod"
        );
        assert_eq!(
            link.to_string(),
            "/flags/a%2F..%2Fb?q=%22%3E%3Cb%3E%26x%3D1%23&amp;env=prod"
        );
    }

    #[test]
    fn the_empty_path_is_the_root() {
        assert_eq!(Link::to::<&str>([]).location(), "/");
        assert_eq!(Link::to(["now"]).at("fleet").location(), "/now#fleet");
    }
}
