//! Everything that is written for the person at the terminal.

use anyhow::{Error, Result};
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// Writes a line. A reader that went away is no error.
pub(crate) fn line(text: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Writes a line below a step's heading.
pub(crate) fn detail(text: &str) {
    line(&format!("    {text}"));
}

/// Says why the command failed: first what, then the reasons behind it.
pub(crate) fn failure(error: &Error) {
    let mut out = io::stderr().lock();
    let _ = writeln!(out, "\nerror: {error}");
    for cause in error.chain().skip(1) {
        let _ = writeln!(out, "  because: {cause}");
    }
}

/// Announces a step before it starts, and says how long it took when it is done.
pub(crate) fn step<T>(title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    line(&format!("==> {title}"));
    let started = Instant::now();
    let result = work();
    let word = if result.is_ok() { "done" } else { "failed" };
    detail(&format!("{word} in {}", duration(started.elapsed())));
    result
}

/// `0.3 s`, `12.0 s`, `3 min 05 s`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        return format!("{:.1} s", time.as_secs_f64());
    }
    format!("{} min {:02} s", seconds / 60, seconds % 60)
}

/// `17 bytes`, `1.5 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut scale = 1024_u64;
    let mut unit = UNITS[0];
    for larger in &UNITS[1..] {
        if bytes / scale >= 1024 {
            scale *= 1024;
            unit = larger;
        }
    }
    let tenths = u128::from(bytes) * 10 / u128::from(scale);
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        let read = [
            (17, "17 bytes"),
            (1024, "1.0 KiB"),
            (1_600_000, "1.5 MiB"),
            (u64::MAX, "16777215.9 TiB"),
        ];
        for (bytes, text) in read {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(duration(Duration::from_millis(340)), "0.3 s");
        assert_eq!(duration(Duration::from_secs(185)), "3 min 05 s");
    }
}
