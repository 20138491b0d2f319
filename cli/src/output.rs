//! Everything that is written: results to standard output, remarks and errors to standard error.
//!
//! A result that cannot be written is a failure of the command, told at its end. But a reader that went away
//! (`longshore ls | head`) has read what it wanted.
//!
//! Texts come from servers, file names and arguments. Nothing in them reaches a terminal that it could take for a command.

use crate::exit::Failure;
use serde::Serialize;
use serde_json::json;
use std::fmt::Write as _;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use std::sync::OnceLock;

/// Why the first result that could not be written could not.
static UNWRITTEN: OnceLock<String> = OnceLock::new();

/// Writes a line of a result.
pub(crate) fn line(text: &str) {
    noted(shown(text));
}

/// Writes a JSON document on a line of its own.
pub(crate) fn json(value: &impl Serialize) {
    noted(shown_json(value));
}

/// Writes a line, and says whether it is written: for what is not shown again.
pub(crate) fn shown(text: &str) -> io::Result<()> {
    write_line(&plain(text))
}

/// Writes a JSON document, and says whether it is written.
pub(crate) fn shown_json(value: &impl Serialize) -> io::Result<()> {
    write_line(&document(value)?)
}

/// Writes a remark that is no result.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", plain(text));
}

/// Writes a JSON document where remarks go.
pub(crate) fn note_json(value: &impl Serialize) {
    if let Ok(text) = document(value) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}

/// Writes a question, to be answered on the same line.
pub(crate) fn question(text: &str) {
    let mut error = io::stderr().lock();
    let _ = write!(error, "{} ", plain(text)).and_then(|()| error.flush());
}

/// Says how a command ended, and returns its exit code.
pub(crate) fn ended(ended: Result<(), Failure>, as_json: bool) -> ExitCode {
    match ended.and_then(|()| written()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => self::failure(&failure, as_json),
    }
}

/// Writes what the parser of arguments has to say: help that was asked for, or what is wrong with them.
pub(crate) fn help(said: &clap::Error) -> ExitCode {
    let told = said.print().and_then(|()| io::stdout().flush());
    if said.use_stderr() {
        return u8::try_from(said.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
    }
    noted(told);
    ended(Ok(()), false)
}

/// Writes why a command failed and returns its exit code.
pub(crate) fn failure(failure: &Failure, as_json: bool) -> ExitCode {
    if failure.message.is_empty() {
        // Whom it concerns knows.
    } else if as_json {
        note_json(&json!({ "error": {
            "message": failure.message,
            "code": failure.code,
            "next_step": failure.next_step,
            "exit_code": failure.exit as u8,
        }}));
    } else {
        note(&format!("longshore: {}", failure.message));
        for step in failure.next_step.iter().flat_map(|step| step.lines()) {
            note(&format!("  {step}"));
        }
    }
    ExitCode::from(failure.exit as u8)
}

/// Without characters that could play tricks on a terminal or on who reads it.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if misleads(c) { '\u{fffd}' } else { c })
        .collect()
}

/// Whether a character is a command to a terminal, ends a line, or turns the direction of writing.
pub(crate) fn misleads(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// One line of JSON. It may be shown at a terminal, and JSON lets more characters stand as they are than a terminal should
/// see.
fn document(value: &impl Serialize) -> io::Result<String> {
    let text = serde_json::to_string(value)?;
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        // Such characters are only in strings, and none has more than four digits.
        if misleads(c) {
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    Ok(safe)
}

fn write_line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

fn noted(done: io::Result<()>) {
    if let Err(error) = done
        && error.kind() != ErrorKind::BrokenPipe
    {
        // The first one is told.
        let _ = UNWRITTEN.set(error.to_string());
    }
}

/// Whether all results are written.
fn written() -> Result<(), Failure> {
    noted(io::stdout().flush());
    match UNWRITTEN.get() {
        None => Ok(()),
        Some(error) => Err(Failure::failed(format!(
            "cannot write to standard output: {error}"
        ))),
    }
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
    use serde_json::Value;

    #[test]
    fn documents_are_the_same_and_harmless() {
        let value = json!({ "a\u{9b}31m": "\u{1b}]0;\u{7}\u{7f}\u{202e}\u{2028}\"\\ü😀" });
        let text = document(&value).unwrap();
        assert!(!text.chars().any(misleads), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

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
