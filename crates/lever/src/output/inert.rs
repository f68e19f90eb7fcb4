//! Makes text from elsewhere harmless on a terminal: nothing in it moves the cursor, changes a
//! colour, hides, or turns the reading direction.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `text` with every character that a terminal would act on, or that nobody would see, written
/// out as an escape.
pub(crate) fn inert(text: &str) -> Cow<'_, str> {
    escape(text, is_active, |c, out| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{}", c.escape_default());
    })
}

/// Whether a text of several lines is harmless as it is.
pub(super) fn is_inert(lines: &str) -> bool {
    !lines.contains(|c| c != '\n' && is_active(c))
}

/// The same for JSON text: what is escaped stands in strings, and stays the same string.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    escape(
        text,
        |c| c != '\n' && is_active(c),
        |c, out| {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        },
    )
}

fn escape<'t>(
    text: &'t str,
    is_active: impl Fn(char) -> bool,
    write: impl Fn(char, &mut String),
) -> Cow<'t, str> {
    if !text.contains(&is_active) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_active(c) {
            write(c, &mut out);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Whether a character does something instead of showing something.
fn is_active(c: char) -> bool {
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

    #[test]
    fn what_a_person_can_read_stays_as_it_is() {
        for text in ["INC-412 5xx", "Größe – ok", "結帳", "25 % ✓ ▲", ""] {
            assert_eq!(inert(text), text);
        }
    }

    #[test]
    fn what_a_terminal_would_act_on_is_written_out() {
        assert_eq!(inert("\u{1b}[2Jgone"), "\\u{1b}[2Jgone");
        assert_eq!(inert("\u{9b}31m"), "\\u{9b}31m");
        assert_eq!(inert("a\r\nb\tc\0"), "a\\r\\nb\\tc\\u{0}");
        assert_eq!(inert("\u{202e}lruc"), "\\u{202e}lruc");
        assert_eq!(inert("pay\u{200b}pal\u{200d}"), "pay\\u{200b}pal\\u{200d}");
        assert_eq!(
            inert("\u{2066}x\u{2069}\u{feff}"),
            "\\u{2066}x\\u{2069}\\u{feff}"
        );
        assert_eq!(inert("\u{e0041}\u{7f}"), "\\u{e0041}\\u{7f}");
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({"reason": "\u{9b}\u{202e}\u{e0041}é\n"});
        let text = serde_json::to_string_pretty(&value).unwrap();
        let escaped = json(&text);
        assert!(!escaped.contains(|c| c != '\n' && is_active(c)));
        let back: serde_json::Value = serde_json::from_str(&escaped).unwrap();
        assert_eq!(back, value);
    }
}
