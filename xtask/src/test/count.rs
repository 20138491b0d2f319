//! Reading what nextest and Python's unittest say.

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
    /// `     Summary [   8.1s] 10 tests run: 7 passed (1 slow), 2 failed, 1 timed out, 3 skipped`.
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
    let (_, rest) = line.trim().strip_prefix("Summary [")?.split_once("] ")?;
    let (run, results) = rest.split_once(" run: ")?;
    // `10 tests`, or `8/10 tests` if it was ended before all were run.
    let all: u64 = run.split([' ', '/']).rev().nth(1)?.parse().ok()?;
    let number = |word: &str| -> Option<u64> {
        let results = results.split(", ").filter_map(|result| result.split_once(' '));
        let mut counted = results.filter(|(_, kind)| kind.split(' ').next() == Some(word));
        counted.next()?.0.parse().ok()
    };
    let passed = number("passed").unwrap_or(0);
    Some(Count {
        passed,
        failed: all.saturating_sub(passed),
        skipped: number("skipped").unwrap_or(0),
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
        count.add_line("        PASS [   0.013s] domain::domain content::tests::parts");
        assert_eq!(count, Count::default());
        for (line, passed, failed, skipped) in [
            ("1 test run: 1 passed, 0 skipped", 1, 0, 0),
            (
                "10 tests run: 7 passed (1 slow, 2 leaky), 2 failed, 1 timed out, 3 skipped",
                7,
                3,
                3,
            ),
            ("4/6 tests run: 4 passed, 1 skipped", 4, 2, 1),
            ("2 tests run: 0 passed, 2 exec failed, 1 skipped", 0, 2, 1),
            ("0 tests run: 0 passed, 5 skipped", 0, 0, 5),
        ] {
            let mut count = Count::default();
            count.add_line(&format!("     Summary [   0.520s] {line}"));
            let wanted = Count {
                passed,
                failed,
                skipped,
            };
            assert_eq!(count, wanted, "{line}");
        }
    }
}
