//! Lines on standard output, for whoever runs the benchmark.

use std::io::{self, Write};

/// Writes a line. A reader that went away is no error.
pub(crate) fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
