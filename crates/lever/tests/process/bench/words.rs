//! A command line as it is typed, taken apart as a shell would: blanks and quotes, nothing else.

/// The words of `line`.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                // A word even when nothing stands between the quotes.
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    assert!(quote.is_none(), "a quote is not closed: {line}");
    words.extend(word);
    words
}

#[test]
fn a_line_falls_into_words_as_in_a_shell() {
    assert_eq!(
        words(r#"open  x --when 'email ends_with "@a"' -r "two words" ''"#),
        [
            "open",
            "x",
            "--when",
            "email ends_with \"@a\"",
            "-r",
            "two words",
            ""
        ]
    );
}
