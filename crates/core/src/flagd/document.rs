//! The parts of a flagd document.

use serde_json::{Map, Value as Json};

use super::refusal::DocumentError;

/// A flagd document, as far as it is one.
pub(super) struct Document<'d> {
    /// By key, in the order of the document.
    pub(super) flags: Vec<(&'d str, &'d Json, String)>,
    pub(super) evaluators: Option<&'d Map<String, Json>>,
    pub(super) metadata: Option<&'d Map<String, Json>>,
}

impl<'d> Document<'d> {
    pub(super) fn new(json: &'d Json) -> Result<Self, DocumentError> {
        let not_a = |path: &str, wanted| DocumentError::NotA {
            path: path.to_owned(),
            wanted,
        };
        let root = json
            .as_object()
            .ok_or_else(|| not_a("$", "a JSON object"))?;
        let object = |name: &str| match root.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Object(object)) => Ok(Some(object)),
            Some(_) => Err(not_a(&format!("$.{name}"), "an object")),
        };
        let flags = match root.get("flags") {
            Some(Json::Object(flags)) => flags
                .iter()
                .map(|(key, flag)| (key.as_str(), flag, format!("$.flags.{key}")))
                .collect(),
            // The same flags as a list, each with its key inside.
            Some(Json::Array(list)) => {
                let mut flags = Vec::with_capacity(list.len());
                for (index, flag) in list.iter().enumerate() {
                    let path = format!("$.flags[{index}]");
                    let key = flag.get("key").and_then(Json::as_str);
                    let key = key.ok_or_else(|| not_a(&format!("{path}.key"), "a text"))?;
                    flags.push((key, flag, path));
                }
                flags
            }
            Some(_) => return Err(not_a("$.flags", "an object")),
            None => return Err(DocumentError::NoFlags),
        };
        Ok(Self {
            flags,
            evaluators: object("$evaluators")?,
            metadata: object("metadata")?,
        })
    }
}
