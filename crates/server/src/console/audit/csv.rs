//! Records as comma-separated values: RFC 4180, and nothing that a spreadsheet takes for a formula.

use leverframe_console::inert::inert;
use leverframe_wire::admin::{Change, RecordView};

/// The names of the columns.
pub(super) const HEADER: &str =
    "revision,at,actor,actor_name,via,reason,incident,noun,key,environment,from,to,change,hash\r\n";

/// A line for each change of a record; one for a record without any.
pub(super) fn write(record: &RecordView, out: &mut String) {
    if record.changes.is_empty() {
        line(record, None, out);
    }
    for change in &record.changes {
        line(record, Some(change), out);
    }
}

fn line(record: &RecordView, change: Option<&Change>, out: &mut String) {
    let of = |text: fn(&Change) -> Option<&str>| change.and_then(text).unwrap_or("");
    let revision = record.revision.to_string();
    let fields = [
        revision.as_str(),
        &record.at,
        &record.actor,
        &record.actor_name,
        &record.via,
        &record.reason,
        record.incident.as_deref().unwrap_or(""),
        of(|change| Some(&change.noun)),
        of(|change| Some(&change.key)),
        of(|change| change.environment.as_deref()),
        of(|change| change.from.as_deref()),
        of(|change| change.to.as_deref()),
        of(|change| Some(&change.sentence)),
        &record.hash,
    ];
    for (index, text) in fields.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        field(text, out);
    }
    out.push_str("\r\n");
}

fn field(text: &str, out: &mut String) {
    // What a spreadsheet would compute is a text to it after an apostrophe.
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = inert(text);
    if !is_formula && !text.contains([',', '"', '\n']) {
        out.push_str(&text);
        return;
    }
    out.push('"');
    if is_formula {
        out.push('\'');
    }
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = String::new();
        field(text, &mut out);
        out
    }

    #[test]
    fn a_formula_is_a_text() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"] {
            assert_eq!(written(text), format!("\"'{text}\""));
        }
        assert_eq!(written("\r=1"), "\"'\\r=1\"");
        assert_eq!(written("1-1"), "1-1");
    }

    #[test]
    fn what_would_end_a_field_is_quoted_and_what_acts_is_written_out() {
        assert_eq!(written("a,b"), "\"a,b\"");
        assert_eq!(written("say \"no\"\nnow"), "\"say \"\"no\"\"\nnow\"");
        assert_eq!(
            written("a\0b\u{1b}[31m\u{202e}"),
            "a\\u{0}b\\u{1b}[31m\\u{202e}"
        );
        assert_eq!(written(""), "");
    }

    #[test]
    fn a_line_has_as_many_fields_as_the_header() {
        let record = RecordView {
            revision: 7,
            at: "2026-11-21T12:00:00Z".to_owned(),
            actor: "tok_1".to_owned(),
            actor_name: "ana".to_owned(),
            via: "console".to_owned(),
            reason: "none given".to_owned(),
            incident: None,
            changes: Vec::new(),
            hash: "ab".to_owned(),
        };
        let mut out = String::new();
        write(&record, &mut out);
        assert_eq!(
            out,
            "7,2026-11-21T12:00:00Z,tok_1,ana,console,none given,,,,,,,,ab\r\n"
        );
        assert_eq!(out.split(',').count(), HEADER.split(',').count());
    }
}
