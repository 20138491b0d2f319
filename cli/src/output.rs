//! Everything that is written to standard output, and errors to standard error.

use crate::exit::Failure;
use serde::Serialize;
use serde_json::json;
use std::io::{self, Write};
use std::process::ExitCode;

/// Writes a line. A reader that went away (`longshore ls | head`) is no error.
pub(crate) fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Writes a JSON document on a line of its own.
pub(crate) fn json(value: &impl Serialize) {
    if let Ok(text) = serde_json::to_string(value) {
        line(&text);
    }
}

/// Writes a remark that is no result.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes why a command failed and gives its exit code.
pub(crate) fn failure(failure: &Failure, as_json: bool) -> ExitCode {
    if as_json {
        let error = json!({ "error": {
            "message": failure.message,
            "code": failure.code,
            "next_step": failure.next_step,
            "exit_code": failure.exit as u8,
        }});
        note(&error.to_string());
    } else {
        note(&format!("longshore: {}", plain(&failure.message)));
        for step in failure.next_step.iter().flat_map(|step| step.lines()) {
            note(&format!("  {}", plain(step)));
        }
    }
    ExitCode::from(failure.exit as u8)
}

/// Without control characters, which could play tricks on a terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// Lines up columns under their headings, two spaces apart, nothing behind the last one.
pub(crate) fn table(headings: &[&str], rows: &[Vec<String>]) {
    for text in laid_out(headings, rows) {
        line(&text);
    }
}

fn laid_out(headings: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let headings: Vec<String> = headings.iter().map(|&heading| heading.to_owned()).collect();
    let all: Vec<Vec<String>> = std::iter::once(&headings)
        .chain(rows)
        .map(|row| row.iter().map(|cell| plain(cell)).collect())
        .collect();
    let width = |column: usize| {
        let cells = all.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let lay = |row: &Vec<String>| {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    all.iter().map(lay).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [
            vec!["1.0 GiB".into(), "a".into()],
            vec!["-".into(), "ü\u{1b}[31m".into()],
        ];
        let lines = laid_out(&["SIZE", "NAME"], &rows);
        assert_eq!(lines, ["SIZE     NAME", "1.0 GiB  a", "-        ü\u{fffd}[31m"]);
    }
}
