//! Sizes, times and lists of parts as people read them.

use crate::output;
use jiff::Timestamp;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::time::Duration;

const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// `0 B`, `1023 B`, `1.0 KiB`, `1.5 GiB`.
pub(crate) fn size(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut unit = 0;
    // In tenths of the unit, rounded, so that 1023.96 KiB becomes 1.0 MiB and not 1024.0 KiB.
    let tenths = |unit: usize| {
        let one = 1u128 << (10 * (unit + 1));
        (u128::from(bytes) * 10 + one / 2) / one
    };
    while tenths(unit) >= 10_240 && unit + 1 < UNITS.len() {
        unit += 1;
    }
    let tenths = tenths(unit);
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// `5 s`, `2 min 05 s`, `3 h 07 min`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// To the minute, in UTC.
pub(crate) fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

/// `1-40, 42`; `none`.
pub(crate) fn ranges(numbers: &[u32]) -> String {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut text = String::new();
    for run in sorted.chunk_by(|a, b| a + 1 == *b) {
        let separator = if text.is_empty() { "" } else { ", " };
        let _ = match run {
            [] => Ok(()),
            [one] => write!(text, "{separator}{one}"),
            [first, .., last] => write!(text, "{separator}{first}-{last}"),
        };
    }
    if text.is_empty() { "none".to_owned() } else { text }
}

/// As a shell takes it.
pub(crate) fn quoted(word: impl AsRef<OsStr>) -> String {
    let word = word.as_ref();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c);
    match word.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(plain) => text.to_owned(),
        Some(text) if !text.chars().any(output::misleads) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => escaped(word),
    }
}

/// What cannot be shown, or is no text, as bytes.
fn escaped(word: &OsStr) -> String {
    let mut text = String::from("$'");
    let bytes = |text: &mut String, bytes: &[u8]| {
        for byte in bytes {
            let _ = write!(text, "\\x{byte:02x}");
        }
    };
    for chunk in word.as_encoded_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\'' | '\\' => text.extend(['\\', c]),
                c if output::misleads(c) => bytes(&mut text, c.encode_utf8(&mut [0; 4]).as_bytes()),
                c => text.push(c),
            }
        }
        bytes(&mut text, chunk.invalid());
    }
    text.push('\'');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_048_524, "1023.9 KiB"),
            (1_048_525, "1.0 MiB"),
            (1 << 30, "1.0 GiB"),
            (1_610_612_736, "1.5 GiB"),
            (10_000 * 5 * (1 << 30), "48.8 TiB"),
            (u64::MAX, "16.0 EiB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn durations() {
        let text = |seconds| duration(Duration::from_secs(seconds));
        assert_eq!(
            [text(5), text(125), text(11_220)],
            ["5 s", "2 min 05 s", "3 h 07 min"]
        );
    }

    #[test]
    fn words_for_a_shell() {
        assert_eq!(quoted("a/b.txt"), "a/b.txt");
        assert_eq!(quoted("it's here"), r"'it'\''s here'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("it's\n\u{9b}"), r"$'it\'s\x0a\xc2\x9b'");
    }

    #[cfg(unix)]
    #[test]
    fn words_that_are_no_text() {
        use std::os::unix::ffi::OsStrExt;
        assert_eq!(quoted(OsStr::from_bytes(b"caf\xe9")), r"$'caf\xe9'");
        assert_eq!(quoted(OsStr::from_bytes(b"\xe9f")), r"$'\xe9f'");
    }

    proptest! {
        #[test]
        fn ranges_name_exactly_the_numbers(numbers in prop::collection::vec(1u32..60, 0..60)) {
            let text = ranges(&numbers);
            let mut named = Vec::new();
            for run in text.split(", ").filter(|run| *run != "none") {
                let (first, last) = run.split_once('-').unwrap_or((run, run));
                named.extend(first.parse::<u32>().unwrap()..=last.parse::<u32>().unwrap());
            }
            let mut expected = numbers.clone();
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(named, expected);
        }
    }
}
