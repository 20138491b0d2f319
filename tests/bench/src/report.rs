//! What came out: for people as tables, for programs as JSON.

use crate::books::Pending;
use crate::contestant::Contestant;
use crate::relay::Counts;
use crate::usage::Cpu;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// What a worker's memory may be at its peak.
const MEMORY_KIB: u64 = 64 * 1024;

/// One run of one contestant.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) time: Duration,
    /// Of one process, the one that used most.
    pub(crate) peak_memory_kib: u64,
    /// Messages that had to come again.
    pub(crate) failures: usize,
    pub(crate) cpu: Cpu,
    pub(crate) emulator_cpu: Cpu,
    pub(crate) ceph_cpu: Cpu,
}

impl Run {
    pub(crate) fn new(time: Duration) -> Self {
        Self {
            time,
            peak_memory_kib: 0,
            failures: 0,
            cpu: Cpu::default(),
            emulator_cpu: Cpu::default(),
            ceph_cpu: Cpu::default(),
        }
    }
}

/// All runs over the same files.
pub(crate) struct Contest {
    name: String,
    files: usize,
    bytes: u64,
    runs: BTreeMap<Contestant, Vec<Run>>,
}

impl Contest {
    pub(crate) fn new(name: &str, files: &[Pending]) -> Self {
        Self {
            name: name.to_owned(),
            files: files.len(),
            bytes: files.iter().map(|file| file.source.size).sum(),
            runs: BTreeMap::new(),
        }
    }

    pub(crate) fn add(&mut self, contestant: Contestant, run: Run) {
        self.runs.entry(contestant).or_default().push(run);
    }

    /// A run in a line.
    pub(crate) fn shown(&self, run: &Run) -> String {
        let again = if run.failures == 0 {
            String::new()
        } else {
            format!(", {} messages had to come again", run.failures)
        };
        format!(
            "{:>7.2} s  {}  memory {:>4} MiB  CPU {:>6.1} s + AWS {:>6.1} s + Ceph {:>6.1} s{again}",
            run.time.as_secs_f64(),
            self.speed(run.time.as_secs_f64()),
            run.peak_memory_kib.div_ceil(1024),
            run.cpu.0,
            run.emulator_cpu.0,
            run.ceph_cpu.0,
        )
    }

    /// Bytes a second for one file, files a second for many.
    fn speed(&self, seconds: f64) -> String {
        if self.files == 1 {
            format!("{:>7.1} MiB/s", count(self.bytes) / seconds / 1_048_576.0)
        } else {
            format!(
                "{:>7.1} files/s",
                count(u64::try_from(self.files).unwrap_or(u64::MAX)) / seconds
            )
        }
    }

    /// The median of the times, in seconds.
    fn seconds(&self, contestant: Contestant) -> Option<f64> {
        let runs = self.runs.get(&contestant)?;
        median(runs.iter().map(|run| run.time.as_secs_f64()).collect())
    }

    /// How many times as fast the one is as the other.
    fn ratio(&self, one: Contestant, other: Contestant) -> Option<f64> {
        Some(self.seconds(other)? / self.seconds(one)?)
    }

    fn peak(&self, contestant: Contestant) -> u64 {
        let runs = self.runs.get(&contestant).into_iter().flatten();
        runs.map(|run| run.peak_memory_kib).max().unwrap_or(0)
    }

    fn table(&self) -> String {
        let mut text = format!("\n{}\n", self.name);
        for contestant in self.runs.keys() {
            let seconds = self.seconds(*contestant).unwrap_or(f64::NAN);
            let versus = self.ratio(*contestant, Contestant::Rclone).unwrap_or(f64::NAN);
            let _ = writeln!(
                text,
                "    {:<10} {:>7.2} s  {}  {versus:>5.2} x rclone  {:>4} MiB",
                contestant.name(),
                seconds,
                self.speed(seconds),
                self.peak(*contestant).div_ceil(1024),
            );
        }
        if let Some(ratio) = self.ratio(Contestant::Workers(4), Contestant::Workers(1)) {
            let _ = writeln!(text, "    4 workers are {ratio:.2} x as fast as one");
        }
        text
    }

    fn json(&self) -> Value {
        let contestants = self.runs.iter().map(|(contestant, runs)| {
            let seconds = self.seconds(*contestant).unwrap_or(f64::NAN);
            let runs = runs.iter().map(|run| {
                json!({
                    "seconds": run.time.as_secs_f64(),
                    "peak_memory_kib": run.peak_memory_kib,
                    "messages_again": run.failures,
                    "cpu_seconds": { "own": run.cpu.0, "aws": run.emulator_cpu.0, "ceph": run.ceph_cpu.0 },
                })
            });
            json!({
                "name": contestant.name(),
                "median_seconds": seconds,
                "bytes_per_second": count(self.bytes) / seconds,
                "files_per_second": count(self.files as u64) / seconds,
                "times_rclone": self.ratio(*contestant, Contestant::Rclone),
                "peak_memory_kib": self.peak(*contestant),
                "runs": runs.collect::<Vec<_>>(),
            })
        });
        json!({
            "name": self.name,
            "files": self.files,
            "bytes": self.bytes,
            "contestants": contestants.collect::<Vec<_>>(),
            "four_against_one": self.ratio(Contestant::Workers(4), Contestant::Workers(1)),
        })
    }
}

/// What one contestant asked one place for.
pub(crate) struct Calls {
    contestant: Contestant,
    place: &'static str,
    counts: Counts,
    files: usize,
}

impl Calls {
    pub(crate) fn new(contestant: Contestant, place: &'static str, counts: Counts, files: usize) -> Self {
        Self {
            contestant,
            place,
            counts,
            files,
        }
    }

    fn each(&self) -> impl Iterator<Item = (&str, f64, f64)> {
        self.counts.iter().map(|(operation, (calls, time))| {
            let per_file = count(*calls) / count(self.files as u64);
            (
                operation.as_str(),
                per_file,
                time.as_secs_f64() * 1000.0 / count(*calls),
            )
        })
    }

    fn table(&self) -> String {
        let mut text = format!("    {} of {}:", self.contestant.name(), self.place);
        for (operation, per_file, milliseconds) in self.each() {
            let _ = write!(text, "  {operation} {per_file:.2} ({milliseconds:.1} ms)");
        }
        text + "\n"
    }

    fn json(&self) -> Value {
        let operations = self.each().map(|(operation, per_file, milliseconds)| {
            json!({ "operation": operation, "calls_per_file": per_file, "mean_milliseconds": milliseconds })
        });
        json!({
            "contestant": self.contestant.name(),
            "place": self.place,
            "operations": operations.collect::<Vec<_>>(),
        })
    }
}

/// Something that is to be reached.
struct Goal {
    what: String,
    reached: bool,
    /// Where it is not reached, that is how it is, and no failure.
    only_told: bool,
}

/// Everything.
pub(crate) struct Report {
    pub(crate) contests: Vec<Contest>,
    /// The contest in which only the connections are slow.
    pub(crate) limited: Option<Contest>,
    pub(crate) calls: Vec<Calls>,
    pub(crate) about: Value,
}

impl Report {
    pub(crate) fn text(&self) -> String {
        let mut text: String = self
            .contests
            .iter()
            .chain(&self.limited)
            .map(Contest::table)
            .collect();
        if !self.calls.is_empty() {
            text += "\nCalls for each small file, and how long the answers take to begin\n";
            text.extend(self.calls.iter().map(Calls::table));
        }
        text += "\nGoals\n";
        for goal in self.goals() {
            let word = match goal {
                Goal { reached: true, .. } => "reached",
                Goal { only_told: true, .. } => "not here",
                Goal { .. } => "MISSED",
            };
            let _ = writeln!(text, "    {word:<8} {}", goal.what);
        }
        text
    }

    pub(crate) fn json(&self) -> Value {
        let goals = self
            .goals()
            .into_iter()
            .map(|goal| json!({ "goal": goal.what, "reached": goal.reached }));
        json!({
            "about": self.about,
            "contests": self.contests.iter().chain(&self.limited).map(Contest::json).collect::<Vec<_>>(),
            "calls": self.calls.iter().map(Calls::json).collect::<Vec<_>>(),
            "goals": goals.collect::<Vec<_>>(),
        })
    }

    fn goals(&self) -> Vec<Goal> {
        let (one, four) = (Contestant::Workers(1), Contestant::Workers(4));
        let mut goals = Vec::new();
        let mut goal = |what, reached, only_told| {
            goals.push(Goal {
                what,
                reached,
                only_told,
            });
        };
        for contest in &self.contests {
            if let Some(ratio) = contest.ratio(one, Contestant::Rclone) {
                let what = format!(
                    "one worker as fast as rclone: {ratio:.2} times ({})",
                    contest.name
                );
                goal(what, ratio >= 1.0, false);
            }
        }
        for contest in self.contests.iter().chain(&self.limited) {
            if let Some(ratio) = contest.ratio(four, one) {
                let what = format!(
                    "four workers three times as fast as one: {ratio:.2} times ({})",
                    contest.name
                );
                // One machine does everything here: four workers cannot have more of it than one took already.
                let machine_is_full = self
                    .limited
                    .as_ref()
                    .is_none_or(|limited| limited.name != contest.name);
                goal(what, ratio >= 3.0, machine_is_full);
            }
        }
        let peaks = self
            .contests
            .iter()
            .chain(&self.limited)
            .flat_map(|contest| [contest.peak(one), contest.peak(four)]);
        let peak = peaks.max().unwrap_or(0);
        let what = format!("a worker takes at most 64 MiB: {:.1} MiB", count(peak) / 1024.0);
        goal(what, peak > 0 && peak <= MEMORY_KIB, false);
        goals
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values.get(middle).copied()
    } else {
        Some(f64::midpoint(
            *values.get(middle.checked_sub(1)?)?,
            *values.get(middle)?,
        ))
    }
}

/// Numbers here are far below the 53 bits that are exact.
#[allow(clippy::cast_precision_loss)]
fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_of_medians() {
        let mut contest = Contest {
            name: "x".to_owned(),
            files: 1,
            bytes: 10 << 20,
            runs: BTreeMap::new(),
        };
        for seconds in [2, 9, 1] {
            contest.add(Contestant::Workers(1), Run::new(Duration::from_secs(seconds)));
        }
        for seconds in [1, 5] {
            contest.add(Contestant::Rclone, Run::new(Duration::from_secs(seconds)));
        }
        assert_eq!(
            contest.ratio(Contestant::Workers(1), Contestant::Rclone),
            Some(1.5)
        );
        assert_eq!(contest.ratio(Contestant::Workers(4), Contestant::Rclone), None);
        assert_eq!(median(Vec::new()), None);
    }

    #[test]
    fn a_goal_that_is_missed_is_said() {
        let run = |seconds, memory| Run {
            peak_memory_kib: memory,
            ..Run::new(Duration::from_secs(seconds))
        };
        let mut contest = Contest {
            name: "x".to_owned(),
            files: 1,
            bytes: 1,
            runs: BTreeMap::new(),
        };
        contest.add(Contestant::Workers(1), run(3, 65 * 1024));
        contest.add(Contestant::Rclone, run(2, 0));
        let report = Report {
            contests: vec![contest],
            limited: None,
            calls: Vec::new(),
            about: Value::Null,
        };
        assert_eq!(report.goals().len(), 2);
        assert!(report.goals().iter().all(|goal| !goal.reached));
        assert_eq!(report.text().matches("MISSED").count(), 2);
    }
}
