//! Where and why a text is not an expression, and how that is shown to a person.

/// Where and why a text is not an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at character {position})")]
pub struct ExpressionError {
    /// The position of the offending character, counted in characters from 1; one past the last
    /// when the text ends too early.
    pub position: usize,
    /// What was expected or is wrong, and what to write instead where that can be told.
    pub message: String,
}

/// How many characters of a long line are shown on either side of the offending one.
const CONTEXT_CHARS: usize = 60;

impl ExpressionError {
    /// Three lines for a terminal: the line of `source` that is wrong, a caret under the
    /// character, and the message. Control and direction characters of the source are shown as
    /// `·`, so that they do nothing to the terminal.
    #[must_use]
    pub fn render(&self, source: &str) -> String {
        let (line, column) = self.line_and_column(source);
        let skipped = column.saturating_sub(CONTEXT_CHARS);
        let mut shown: String = line
            .chars()
            .skip(skipped)
            .take(CONTEXT_CHARS.saturating_mul(2))
            .map(|c| if is_inert(c) { c } else { '·' })
            .collect();
        let mut caret_at = column.saturating_sub(skipped);
        if skipped > 0 {
            shown.insert(0, '…');
            caret_at = caret_at.saturating_add(1);
        }
        let indent = " ".repeat(caret_at);
        format!("{shown}\n{indent}^\n{}", self.message)
    }

    /// The line that holds the position, and the position's column in it, from 0.
    fn line_and_column<'a>(&self, source: &'a str) -> (&'a str, usize) {
        let mut left = self.position.saturating_sub(1);
        let mut last = ("", 0);
        for line in source.split('\n') {
            let length = line.chars().count();
            if left <= length {
                return (line, left);
            }
            left = left.saturating_sub(length.saturating_add(1));
            last = (line, length);
        }
        last
    }
}

/// Whether a character can be shown as it is: neither a control character nor one that hides
/// itself or turns the direction of the text around it.
pub(super) fn is_inert(c: char) -> bool {
    !c.is_control()
        && !matches!(
            c,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}
