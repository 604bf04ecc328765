//! Tables with two columns, framed by `+`, `-` and `|`.

use unicode_width::UnicodeWidthChar;

/// Widest first column.
const MAX_FIRST: usize = 60;
/// Columns that the frame itself takes: `| `, ` | `, ` |`.
const FRAME: usize = 7;

/// A header and rows in a table that fills `width` columns of a terminal.
///
/// Cells are cut hard at the column's width; newlines start another line of the row.
pub fn table(header: [&str; 2], rows: &[[String; 2]], width: usize) -> String {
    let longest = |cell: &str| cell.split('\n').map(display_width).max().unwrap_or_default();
    let widest = rows.iter().map(|row| longest(&row[0])).chain([longest(header[0])]).max().unwrap_or_default();
    let first = widest.min(MAX_FIRST);
    let columns = [first, width.saturating_sub(first + FRAME).max(1)];
    let separator = format!("+-{}-+-{}-+\n", "-".repeat(columns[0]), "-".repeat(columns[1]));
    let mut text = separator.clone();
    for row in std::iter::once(header).chain(rows.iter().map(|row| row.each_ref().map(String::as_str))) {
        write_row(row, columns, &mut text);
        text.push_str(&separator);
    }
    text
}

fn write_row(cells: [&str; 2], columns: [usize; 2], text: &mut String) {
    let left = wrap(cells[0], columns[0]);
    let right = wrap(cells[1], columns[1]);
    for line in 0..left.len().max(right.len()) {
        let cell = |lines: &[String], width: usize| {
            let line = lines.get(line).map(String::as_str).unwrap_or_default();
            format!("{line}{}", " ".repeat(width.saturating_sub(display_width(line))))
        };
        text.push_str(&format!("| {} | {} |\n", cell(&left, columns[0]), cell(&right, columns[1])));
    }
}

/// Lines of a cell, each at most `width` columns wide (one character where that is wider).
///
/// A line that fills its column exactly is cut before its line break, as upstream does: an empty line follows.
fn wrap(cell: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = cell.split('\n').peekable();
    while let Some(line) = rest.next() {
        let (mut current, mut used) = (String::new(), 0);
        for c in line.chars() {
            let next = char_width(c);
            if used > 0 && used + next > width {
                lines.push(std::mem::take(&mut current));
                used = 0;
            }
            current.push(c);
            used += next;
        }
        lines.push(current);
        if used >= width && rest.peek().is_some() {
            lines.push(String::new());
        }
    }
    lines
}

fn display_width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// Control characters count as one column, so that a table never overlaps itself.
fn char_width(c: char) -> usize {
    c.width().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(cells: &[[&str; 2]]) -> Vec<[String; 2]> {
        cells.iter().map(|row| row.map(str::to_owned)).collect()
    }

    #[test]
    fn the_last_column_fills_the_terminal() {
        let text = table(["Path", "Diff"], &rows(&[["data[\"v\"]", "-1\n+2"]]), 40);
        let wanted = "\
+-----------+--------------------------+
| Path      | Diff                     |
+-----------+--------------------------+
| data[\"v\"] | -1                       |
|           | +2                       |
+-----------+--------------------------+
";
        assert_eq!(text, wanted);
    }

    #[test]
    fn long_cells_are_cut_and_the_last_column_has_at_least_one_place() {
        let text = table(["Path", "Diff"], &rows(&[[&"k".repeat(62), "ab"]]), 40);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.iter().all(|line| line.len() == 60 + 1 + 7), "{text}");
        assert_eq!(lines.len(), 1 + 4 + 1 + 2 + 1);
        assert!(lines[6].starts_with(&format!("| {} | a |", "k".repeat(60))));
        assert!(lines[7].starts_with("| kk ") && lines[7].ends_with("| b |"));
    }

    #[test]
    fn widths_count_places_on_the_screen_not_bytes() {
        let text = table(["P", "D"], &rows(&[["ä", "äöüäöüäö"], ["x", "日本語"]]), 13);
        let wanted = "\
+---+-------+
| P | D     |
+---+-------+
| ä | äöüäö |
|   | üäö   |
+---+-------+
| x | 日本  |
|   | 語    |
+---+-------+
";
        assert_eq!(text, wanted);
    }

    #[test]
    fn a_line_break_after_a_full_line_leaves_an_empty_one() {
        assert_eq!(wrap("-x\n+y", 2), ["-x", "", "+y"]);
        assert_eq!(wrap("-x\n+y", 1), ["-", "x", "", "+", "y"]);
        assert_eq!(wrap("-x\n+y", 3), ["-x", "+y"]);
        assert_eq!(wrap("", 3), [""]);
    }

    #[test]
    fn no_rows_leave_the_header() {
        assert_eq!(table(["P", "D"], &[], 0), "+---+---+\n| P | D |\n+---+---+\n");
    }
}
