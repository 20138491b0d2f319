//! Everything that is written for the person at the terminal.

use anyhow::{Error, Result};
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
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

/// The steps that are done. Those within another are a part of it.
struct Steps {
    depth: usize,
    done: Vec<(String, Duration)>,
}

static STEPS: Mutex<Steps> = Mutex::new(Steps {
    depth: 0,
    done: Vec::new(),
});

/// Announces a step before it starts, and says how long it took when it is done.
pub(crate) fn step<T>(title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let steps = || STEPS.lock().unwrap_or_else(PoisonError::into_inner);
    line(&format!("==> {title}"));
    steps().depth += 1;
    let started = Instant::now();
    let result = work();
    let took = started.elapsed();
    let word = if result.is_ok() { "done" } else { "failed" };
    detail(&format!("{word} in {}", duration(took)));
    let mut steps = steps();
    steps.depth -= 1;
    if steps.depth == 0 {
        steps.done.push((title.to_owned(), took));
    }
    result
}

/// Says how long each step took that this command did, the longest first, and how long everything took.
pub(crate) fn table_of_steps(everything: Duration) {
    let steps = STEPS.lock().unwrap_or_else(PoisonError::into_inner);
    line(&table(steps.done.clone(), everything));
}

fn table(mut steps: Vec<(String, Duration)>, everything: Duration) -> String {
    let rest = everything.saturating_sub(steps.iter().map(|(_, took)| *took).sum());
    steps.push(("between these".to_owned(), rest));
    steps.sort_by_key(|(_, took)| std::cmp::Reverse(*took));
    steps.push(("everything".to_owned(), everything));
    let row = |(title, took): &(String, Duration)| format!("{:>13}  {title}", duration(*took));
    let rows: Vec<_> = steps.iter().map(row).collect();
    rows.join("\n")
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
    fn the_longest_step_comes_first() {
        let step = |title: &str, seconds| (title.to_owned(), Duration::from_secs(seconds));
        let steps = vec![step("Building", 7), step("Testing", 185), step("Starting", 2)];
        let rows = "   3 min 05 s  Testing\n        7.0 s  Building\n        6.0 s  between these\n        2.0 s  Starting\n   \
                    3 min 20 s  everything";
        assert_eq!(table(steps, Duration::from_secs(200)), rows);
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(duration(Duration::from_millis(340)), "0.3 s");
        assert_eq!(duration(Duration::from_secs(185)), "3 min 05 s");
    }
}
