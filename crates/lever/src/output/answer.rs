//! One answer in every format.

use serde::Serialize;
use serde_json::Value;

use super::inert;
use crate::arguments::Format;
use crate::failure::Failure;

/// What a command found or did, for every reader at once.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Answer {
    /// All of it.
    document: Value,
    /// The items of a list, for one document a line.
    items: Option<Vec<Value>>,
    /// Only the names.
    names: Vec<String>,
    /// For people; may hold colours. Text from elsewhere in it has been made inert.
    human: String,
}

impl Answer {
    pub(crate) fn new(
        document: &impl Serialize,
        human: impl Into<String>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            document: to_value(document)?,
            items: None,
            names: Vec::new(),
            human: human.into(),
        })
    }

    /// The same, with each item on a line of its own for `ndjson`.
    pub(crate) fn listing<T: Serialize>(mut self, items: &[T]) -> Result<Self, Failure> {
        self.items = Some(items.iter().map(to_value).collect::<Result<_, _>>()?);
        Ok(self)
    }

    /// The same, with what `name` prints.
    pub(crate) fn named(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.names = names.into_iter().map(Into::into).collect();
        self
    }

    /// The text for stdout, with a line end when it is not empty.
    pub(crate) fn text(&self, format: Format) -> Result<String, Failure> {
        let text = match format {
            Format::Table => self.human.clone(),
            Format::Json => self.json()?,
            Format::Ndjson => match &self.items {
                Some(items) => items
                    .iter()
                    .map(line)
                    .collect::<Result<Vec<_>, _>>()?
                    .join("\n"),
                None => line(&self.document)?,
            },
            Format::Yaml => {
                let yaml = serde_saphyr::to_string(&self.document).map_err(unwritable)?;
                if inert::is_inert(&yaml) {
                    yaml
                } else {
                    // JSON is YAML, too, and has an escape for every character.
                    self.json()?
                }
            }
            Format::Name => {
                let names: Vec<_> = self.names.iter().map(|name| inert(name)).collect();
                names.join("\n")
            }
        };
        let text = text.trim_end_matches('\n');
        Ok(if text.is_empty() {
            String::new()
        } else {
            format!("{text}\n")
        })
    }
}

impl Answer {
    fn json(&self) -> Result<String, Failure> {
        let json = serde_json::to_string_pretty(&self.document).map_err(unwritable)?;
        Ok(inert::json(&json).into_owned())
    }
}

fn line(value: &Value) -> Result<String, Failure> {
    let json = serde_json::to_string(value).map_err(unwritable)?;
    Ok(inert::json(&json).into_owned())
}

fn to_value(value: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(unwritable)
}

fn unwritable(error: impl std::fmt::Display) -> Failure {
    Failure::failed(format!("the answer cannot be written: {error}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_format_says_the_same_in_its_own_way() {
        let items = [json!({"key": "a"}), json!({"key": "b"})];
        let answer = Answer::new(&json!({"flags": items}), "two flags")
            .unwrap()
            .listing(&items)
            .unwrap()
            .named(["a", "b"]);
        assert_eq!(answer.text(Format::Table).unwrap(), "two flags\n");
        assert_eq!(answer.text(Format::Name).unwrap(), "a\nb\n");
        assert_eq!(
            answer.text(Format::Ndjson).unwrap(),
            "{\"key\":\"a\"}\n{\"key\":\"b\"}\n"
        );
        let json: Value = serde_json::from_str(&answer.text(Format::Json).unwrap()).unwrap();
        assert_eq!(json, json!({"flags": items}));
        let yaml: Value = serde_saphyr::from_str(&answer.text(Format::Yaml).unwrap()).unwrap();
        assert_eq!(yaml, json!({"flags": items}));
    }

    #[test]
    fn no_format_lets_a_terminal_be_driven() {
        let answer = Answer::new(&json!({"reason": "\u{9b}31m\u{202e}evil\u{1b}[2J"}), "")
            .unwrap()
            .named(["\u{1b}[2J"]);
        for format in [Format::Json, Format::Ndjson, Format::Yaml, Format::Name] {
            let text = answer.text(format).unwrap();
            for c in ['\u{9b}', '\u{202e}', '\u{1b}'] {
                assert!(!text.contains(c), "{format:?}: {text:?}");
            }
        }
        let yaml: Value = serde_saphyr::from_str(&answer.text(Format::Yaml).unwrap()).unwrap();
        let json: Value = serde_json::from_str(&answer.text(Format::Json).unwrap()).unwrap();
        assert_eq!(json, yaml);
        assert_eq!(json, json!({"reason": "\u{9b}31m\u{202e}evil\u{1b}[2J"}));
    }
}
