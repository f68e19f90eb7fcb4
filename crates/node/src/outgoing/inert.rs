//! Text of other systems, made harmless wherever it is shown.

use crate::limit::FOREIGN_TEXT_MAX;

/// `text` on one line, without characters that act instead of showing something, and cut off where
/// it is too long.
pub(crate) fn inert(text: &str) -> String {
    inert_within(text, FOREIGN_TEXT_MAX)
}

/// The same with a limit of its own, in characters.
pub(crate) fn inert_within(text: &str, max: usize) -> String {
    let mut shown = String::new();
    for (length, c) in text.trim().chars().enumerate() {
        if length == max {
            shown.push('…');
            break;
        }
        shown.push(if is_active(c) { ' ' } else { c });
    }
    shown
}

/// Whether a character does something instead of showing something: controls, marks that turn the
/// reading direction, joiners and spaces that nobody sees, and tags.
fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_move_a_cursor_or_turn_the_reading_direction() {
        assert_eq!(inert("a\u{1b}[31mb\nc\u{202e}d\0"), "a [31mb c d ");
    }

    #[test]
    fn foreign_text_is_cut_off_where_it_is_too_long() {
        let shown = inert(&"ä".repeat(FOREIGN_TEXT_MAX + 5));
        assert_eq!(shown.chars().count(), FOREIGN_TEXT_MAX + 1);
        assert!(shown.ends_with('…'));
    }
}
