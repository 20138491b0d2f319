//! Reading what libtest and Python's unittest say.

use std::ops::AddAssign;

/// How many tests there were.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
}

impl Count {
    /// Adds what a line says, if it is one that counts:
    /// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; ...`.
    pub(super) fn add_line(&mut self, line: &str) {
        if let Some(more) = parse(line) {
            *self += more;
        }
    }

    /// What `Ran 11 tests in 3.2s` and, if it failed, `FAILED (failures=1, errors=2)` say.
    pub(super) fn of_unittest(said: &str, succeeded: bool) -> Self {
        let number = |before: &str| -> Option<u64> {
            let rest = said.rsplit_once(before)?.1;
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            rest[..digits].parse().ok()
        };
        let ran = number("\nRan ").unwrap_or(0);
        let failed = number("failures=").unwrap_or(0) + number("errors=").unwrap_or(0);
        // It ended before it could count, or found nothing to run.
        let failed = failed.max(u64::from(!succeeded || ran == 0));
        let skipped = number("skipped=").unwrap_or(0);
        Self {
            passed: ran.saturating_sub(failed + skipped),
            failed,
            skipped,
        }
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, more: Self) {
        self.passed += more.passed;
        self.failed += more.failed;
        self.skipped += more.skipped;
    }
}

fn parse(line: &str) -> Option<Count> {
    let rest = line.trim().strip_prefix("test result: ")?;
    let number = |word: &str| -> Option<u64> {
        let before = rest.split(';').find_map(|part| part.trim().strip_suffix(word))?;
        before.trim().rsplit(' ').next()?.parse().ok()
    };
    Some(Count {
        passed: number("passed")?,
        failed: number("failed")?,
        skipped: number("ignored")? + number("filtered out")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_unittest_are_counted() {
        let count = |said, succeeded| {
            let count = Count::of_unittest(said, succeeded);
            (count.passed, count.failed, count.skipped)
        };
        assert_eq!(count("..\n-----\nRan 11 tests in 9.7s\n\nOK\n", true), (11, 0, 0));
        let failed = "-----\nRan 11 tests in 9.7s\n\nFAILED (failures=1, errors=2)\n";
        assert_eq!(count(failed, false), (8, 3, 0));
        assert_eq!(count("\nRan 5 tests in 1s\n\nOK (skipped=1)\n", true), (4, 0, 1));
        assert_eq!(count("Traceback", false), (0, 1, 0));
        assert_eq!(count("\nRan 0 tests in 0s\n\nOK\n", true), (0, 1, 0));
    }

    #[test]
    fn results_are_counted() {
        let mut count = Count::default();
        count.add_line("running 3 tests");
        assert_eq!(count, Count::default());
        count.add_line(
            "test result: FAILED. 13 passed; 2 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.52s",
        );
        count.add_line(
            "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0s",
        );
        let expected = Count {
            passed: 14,
            failed: 2,
            skipped: 5,
        };
        assert_eq!(count, expected);
    }
}
