//! Tables, as Markdown, so that what is printed can be pasted into the documentation.

pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&str]) -> Self {
        Self {
            rows: vec![head.iter().map(|cell| (*cell).to_owned()).collect()],
        }
    }

    pub(crate) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// What it is about: the head of its first column.
    pub(crate) fn title(&self) -> &str {
        self.rows[0].first().map_or("", String::as_str)
    }

    /// The figure in the row that begins so, in this column.
    pub(crate) fn figure(&self, row: &str, column: &str) -> Option<f64> {
        let column = self.column(column)?;
        let row = self.rows[1..].iter().find(|cells| begins(cells, row))?;
        number(row.get(column)?)
    }

    /// The figures of this column in all rows that begin with one of these.
    pub(crate) fn figures(&self, rows: &[&str], column: &str) -> Vec<f64> {
        let Some(column) = self.column(column) else {
            return Vec::new();
        };
        self.rows[1..]
            .iter()
            .filter(|cells| rows.iter().any(|beginning| begins(cells, beginning)))
            .filter_map(|cells| number(cells.get(column)?))
            .collect()
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.rows[0].iter().position(|cell| cell == name)
    }

    /// Shows it, and gives it back.
    pub(crate) fn print(self) -> Self {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (number, row) in self.rows.iter().enumerate() {
            let cells: Vec<String> = widths
                .iter()
                .enumerate()
                .map(|(column, width)| {
                    let cell = row.get(column).map_or("", String::as_str);
                    format!("{cell:<width$}")
                })
                .collect();
            println!("| {} |", cells.join(" | "));
            if number == 0 {
                let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
                println!("|-{}-|", rule.join("-|-"));
            }
        }
        println!();
        self
    }
}

fn begins(cells: &[String], beginning: &str) -> bool {
    format!("{} |", cells.join(" | ")).starts_with(beginning)
}

fn number(cell: &str) -> Option<f64> {
    cell.split(' ').next()?.parse().ok()
}
