//! A place in the source text, and the steps the parser takes over it.

use super::error::ExpressionError;

/// A place in the source text.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'s> {
    source: &'s str,
    /// In bytes; always on a character boundary, because only whole characters are stepped over.
    offset: usize,
}

impl<'s> Cursor<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self { source, offset: 0 }
    }

    pub(super) fn rest(&self) -> &'s str {
        self.source.get(self.offset..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    pub(super) fn skip_space(&mut self) {
        let rest = self.rest();
        let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        self.step(rest.len().saturating_sub(trimmed.len()));
    }

    /// Steps over `bytes` bytes, which the caller has seen to be whole characters.
    fn step(&mut self, bytes: usize) {
        self.offset = self.offset.saturating_add(bytes).min(self.source.len());
    }

    /// Takes one character.
    pub(super) fn take_char(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.step(c.len_utf8());
        Some(c)
    }

    /// Takes `text` if it comes next.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.step(text.len());
        }
        found
    }

    /// The longest run of characters that `belongs` accepts, without taking it.
    pub(super) fn peek_run(&self, belongs: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    /// Takes the longest run of characters that `belongs` accepts.
    pub(super) fn take_run(&mut self, belongs: impl Fn(char) -> bool) -> &'s str {
        let run = self.peek_run(belongs);
        self.step(run.len());
        run
    }

    /// Takes `word` if it comes next and is not the beginning of a longer word.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.peek_word() == word;
        if found {
            self.step(word.len());
        }
        found
    }

    /// The word that comes next; empty when none does.
    pub(super) fn peek_word(&self) -> &'s str {
        self.peek_run(is_word_char)
    }

    /// An error at this place.
    pub(super) fn error(&self, message: impl Into<String>) -> ExpressionError {
        let before = self.source.get(..self.offset).unwrap_or_default();
        ExpressionError {
            position: before.chars().count().saturating_add(1),
            message: message.into(),
        }
    }

    /// What comes next, for a message.
    pub(super) fn found(&self) -> String {
        let word = self.peek_word();
        if !word.is_empty() {
            let shown: String = word.chars().take(40).collect();
            return format!("`{shown}`");
        }
        self.peek()
            .map_or_else(|| "the end".to_owned(), |c| format!("{c:?}"))
    }
}

/// Characters of plain names and keywords.
pub(super) fn is_word_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}
