//! The journal. `GET /journal?since=&until=&flag=&environment=&global=&actor=&before=&limit=`,
//! `GET /journal/{revision}`, `POST /journal/verify`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::receipt::Change;

/// Some records, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JournalPage {
    /// The records.
    pub records: Vec<RecordView>,
    /// Pass as `before` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// One record, for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecordView {
    /// Its revision.
    pub revision: u64,
    /// When, in RFC 3339.
    pub at: String,
    /// Who, by id.
    pub actor: String,
    /// Who, by name.
    pub actor_name: String,
    /// Through what.
    pub via: String,
    /// Why; "none given" when nobody said.
    pub reason: String,
    /// The incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// What changed.
    pub changes: Vec<Change>,
    /// Its link in the hash chain, in hexadecimal.
    pub hash: String,
}

/// One record with what a list leaves out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WholeRecord {
    /// The record.
    #[serde(flatten)]
    pub record: RecordView,
    /// The link of the record before it, in hexadecimal.
    pub previous: String,
    /// What changed in definitions, line by line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// Why no undo can be asked for, if none can. Whether the record is still the last change of what
    /// it touched is decided when it is undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not_undoable: Option<String>,
}

/// What changed in one definition, as YAML.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// What it defines: `flag`, `segment` or `plan`.
    pub noun: String,
    /// Its name.
    pub key: String,
    /// The lines that changed with some around them.
    pub lines: Vec<DifferenceLine>,
    /// What is not shown, and why, if it is not the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

/// One line of a difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DifferenceLine {
    /// What became of it.
    pub sign: Sign,
    /// The line.
    pub text: String,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// It stayed.
    Kept,
    /// It came.
    Added,
    /// It went.
    Removed,
    /// Lines that stayed are left out here.
    Gap,
}

/// Whether the journal is whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Verification {
    /// Whether every record continues the chain up to the head this server holds in memory.
    pub intact: bool,
    /// How many records were read.
    pub records: u64,
    /// The last revision of the chain.
    pub revision: u64,
    /// The last link, in hexadecimal.
    pub head: String,
    /// The first revision that is bad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_bad: Option<u64>,
    /// What is wrong with it and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}
