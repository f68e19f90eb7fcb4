//! Columns for people: no frames, so that they can be cut with ordinary tools. In a terminal that is
//! too narrow for them each row is told downwards instead.

use comfy_table::{ContentArrangement, presets};

use super::inert;

/// Rows below a head. Every cell is made inert.
pub(crate) struct Table {
    table: comfy_table::Table,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
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
            head: head.iter().map(|name| (*name).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        let cells: Vec<String> = cells
            .into_iter()
            .map(|cell| inert(cell.as_ref()).into_owned())
            .collect();
        self.table.add_row(&cells);
        self.rows.push(cells);
    }

    /// The table as text, or `nothing` when it has no row.
    pub(crate) fn or(&self, nothing: &str) -> String {
        self.within(nothing, super::columns())
    }

    fn within(&self, nothing: &str, columns: Option<usize>) -> String {
        if self.rows.is_empty() {
            return nothing.to_owned();
        }
        let lines: Vec<String> = self
            .table
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect();
        match columns {
            Some(columns) if lines.iter().any(|line| line.chars().count() > columns) => {
                self.downwards()
            }
            _ => lines.join("\n"),
        }
    }

    /// The first cell, and below it each other one that says something, with its name.
    fn downwards(&self) -> String {
        let width = self.head.iter().map(|name| name.chars().count()).max();
        let width = width.unwrap_or_default();
        let mut lines = Vec::new();
        for row in &self.rows {
            let mut cells = self.head.iter().zip(row);
            lines.extend(cells.next().map(|(_, first)| first.clone()));
            lines.extend(
                cells
                    .filter(|(_, cell)| !cell.is_empty())
                    .map(|(name, cell)| format!("  {name:width$}  {cell}")),
            );
        }
        lines.join("\n")
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

    #[test]
    fn where_columns_do_not_fit_a_row_is_told_downwards() {
        let mut table = Table::new(&["FLAG", "POSITION", "OWNER", "WHY"]);
        table.row(["new-checkout", "■ closed", "", "INC-412"]);
        let across = "FLAG          POSITION  OWNER  WHY\nnew-checkout  ■ closed         INC-412";
        assert_eq!(table.within("none", None), across);
        assert_eq!(table.within("none", Some(38)), across);
        assert_eq!(
            table.within("none", Some(37)),
            "new-checkout\n  POSITION  ■ closed\n  WHY       INC-412"
        );
    }
}
