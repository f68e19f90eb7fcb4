//! A condition in words. What comes in is the canonical text that the server prints, so that a word
//! outside of quotes is always a name, an operator or a number; what is not known stays as it is.

/// `plan == "beta" and country in ["NO", "SE"]` as `plan is "beta" and country is one of "NO", "SE"`.
#[must_use]
pub fn condition(when: &str) -> String {
    match when.trim() {
        "true" => return "always".to_owned(),
        "false" => return "never".to_owned(),
        _ => {}
    }
    let tokens = tokens(when);
    let mut words = Words {
        rest: &tokens,
        said: String::new(),
    };
    while words.next() {}
    words.said
}

struct Words<'t> {
    rest: &'t [&'t str],
    said: String,
}

/// What stands between an attribute and a value, and how it is said.
const OPERATORS: [(&[&str], &str); 31] = [
    (&["semver", "=="], "is the version"),
    (&["semver", "!="], "is not the version"),
    (&["semver", "<"], "is a version before"),
    (&["semver", "<="], "is a version up to"),
    (&["semver", ">"], "is a version after"),
    (&["semver", ">="], "is at least the version"),
    (&["not", "starts_with"], "does not start with"),
    (&["not", "ends_with"], "does not end with"),
    (&["not", "contains"], "does not contain"),
    (&["not", "matches"], "does not match"),
    (&["not", "in", "["], "is none of"),
    (&["not", "in"], "is not in the network"),
    (
        &["not", "segment", "in", "["],
        "they are in none of the segments",
    ),
    (&["not", "segment"], "they are not in the segment"),
    (
        &["segment", "not", "in", "["],
        "they are in none of the segments",
    ),
    (&["segment", "in", "["], "they are in one of the segments"),
    (&["segment"], "they are in the segment"),
    (&["not", "("], "it is not so that ("),
    (&["in", "["], "is one of"),
    (&["in"], "is in the network"),
    (&["=="], "is"),
    (&["!="], "is not"),
    (&["<="], "is at most"),
    (&[">="], "is at least"),
    (&["<"], "is below"),
    (&[">"], "is above"),
    (&["starts_with"], "starts with"),
    (&["ends_with"], "ends with"),
    (&["before"], "is before"),
    (&["after"], "is after"),
    (&["missing"], "is not known"),
];

impl Words<'_> {
    /// Says the next operator or word; false when nothing is left.
    fn next(&mut self) -> bool {
        let known = OPERATORS
            .iter()
            .find(|(tokens, _)| self.rest.starts_with(tokens));
        if let Some((tokens, words)) = known {
            self.say(words);
            self.rest = self.rest.get(tokens.len()..).unwrap_or(&[]);
            if tokens.last() == Some(&"[") {
                self.list();
            }
            return true;
        }
        let Some((token, rest)) = self.rest.split_first() else {
            return false;
        };
        self.rest = rest;
        self.say(match *token {
            "present" => "is known",
            "and" | "or" => {
                self.said
                    .push_str(if *token == "and" { " and" } else { " or" });
                return true;
            }
            "not" => "not",
            "targetingKey" => "the user",
            "now" => "the time",
            other => other,
        });
        true
    }

    /// The items of a list, whose bracket was said by its operator.
    fn list(&mut self) {
        let end = self.rest.iter().position(|token| *token == "]");
        let (items, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        let items: Vec<&str> = items.iter().copied().filter(|item| *item != ",").collect();
        self.rest = rest.get(1..).unwrap_or(&[]);
        let said = items.join(", ");
        self.say(&said);
    }

    fn say(&mut self, words: &str) {
        let is_tight = self.said.is_empty() || self.said.ends_with('(') || words == ")";
        if !is_tight {
            self.said.push(' ');
        }
        self.said.push_str(words);
    }
}

/// Quoted texts as they are, brackets, parentheses and commas on their own, and words.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' | '`' => quoted(rest, first),
            '(' | ')' | '[' | ']' | ',' => 1,
            _ => rest
                .find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | ','))
                .unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(length);
        tokens.push(token);
        rest = after.trim_start();
    }
    tokens
}

/// How many bytes a quoted text has, with its quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if c == quote => return index + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}
