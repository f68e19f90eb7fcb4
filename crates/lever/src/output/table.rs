//! Columns for people: no frames, so that they can be cut with ordinary tools.

use comfy_table::{ContentArrangement, presets};

use super::inert;

/// Rows below a head. Every cell is made inert.
pub(crate) struct Table {
    table: comfy_table::Table,
    is_empty: bool,
}

impl Table {
    pub(crate) fn new(head: &[&str]) -> Self {
        let mut table = comfy_table::Table::new();
        table
            .load_style(presets::NOTHING)
            // A cell is never broken or cut: a key that is half shown cannot be typed.
            .set_content_arrangement(ContentArrangement::Disabled)
            .force_no_tty()
            .set_header(head.iter().copied());
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        Self {
            table,
            is_empty: true,
        }
    }

    pub(crate) fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.is_empty = false;
        self.table.add_row(
            cells
                .into_iter()
                .map(|cell| inert(cell.as_ref()).into_owned()),
        );
    }

    /// The table as text, or `nothing` when it has no row.
    pub(crate) fn or(&self, nothing: &str) -> String {
        if self.is_empty {
            nothing.to_owned()
        } else {
            let lines: Vec<String> = self
                .table
                .lines()
                .map(|line| line.trim_end().to_owned())
                .collect();
            lines.join("\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_stray_text_stays_in_its_cell() {
        let mut table = Table::new(&["FLAG", "OWNER"]);
        assert_eq!(table.or("none"), "none");
        table.row(["new-checkout", "team-pay"]);
        table.row(["a", "b\nc\u{1b}[2J"]);
        assert_eq!(
            table.or("none"),
            "FLAG          OWNER\nnew-checkout  team-pay\na             b\\nc\\u{1b}[2J"
        );
    }
}
