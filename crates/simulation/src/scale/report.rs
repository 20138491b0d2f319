//! What was seen, in tables.

use super::family::{self, Family, Grows};
use super::load::{ACCOUNTS, Lived, Load, UPLOADS};
use crate::cloud::Taken;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

/// What a partition of DynamoDB takes in a second.
pub const WRITES: f64 = 1000.0;
/// The same for read units.
pub const READS: f64 = 3000.0;

/// What a partition takes in a second at a million uploads an hour.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rate {
    /// Read units.
    pub reads: f64,
    /// Write units.
    pub writes: f64,
}

impl Rate {
    /// How much of its limit.
    #[must_use]
    pub fn share(self) -> f64 {
        (self.reads / READS).max(self.writes / WRITES)
    }
}

/// What one partition would take: what it took for the load grows, what it takes without any does not.
fn rate(partition: &str, taken: &Taken, grows: Grows, lived: &Lived) -> Rate {
    let factor = family::factor(grows, &lived.load);
    let idle = lived.idle.partitions.get(partition).copied();
    let idle = idle.unwrap_or_default();
    let of = |taken: f64, idle: f64| {
        ((taken - idle).max(0.0) * factor + idle.min(taken)) / f64::from(lived.load.seconds)
    };
    Rate {
        reads: of(taken.reads, idle.reads),
        writes: of(taken.writes, idle.writes),
    }
}

/// The hottest partition of each sort.
#[must_use]
pub fn families(lived: &Lived) -> BTreeMap<Family, Rate> {
    let mut hottest: BTreeMap<Family, Rate> = BTreeMap::new();
    for (partition, taken) in &lived.heat.partitions {
        let (family, grows) = family::of(partition);
        let rate = rate(partition, taken, grows, lived);
        let most = hottest.entry(family).or_default();
        if rate.share() > most.share() {
            *most = rate;
        }
    }
    hottest
}

/// What all partitions of a sort take together.
#[must_use]
pub fn sums(lived: &Lived) -> BTreeMap<Family, Rate> {
    let mut sums: BTreeMap<Family, Rate> = BTreeMap::new();
    for (partition, taken) in &lived.heat.partitions {
        let (family, grows) = family::of(partition);
        let rate = rate(partition, taken, grows, lived);
        let sum = sums.entry(family).or_default();
        sum.reads += rate.reads;
        sum.writes += rate.writes;
    }
    sums
}

/// The ten hottest partitions of a load in which nothing is multiplied but what accounts take.
#[must_use]
pub fn hottest(lived: &Lived) -> String {
    let mut all: Vec<_> = { &lived.heat.partitions }
        .iter()
        .map(|(partition, taken)| {
            let grows = family::of(partition).1;
            (partition, taken, grows, rate(partition, taken, grows, lived))
        })
        .collect();
    all.sort_by(|(.., one), (.., other)| other.share().total_cmp(&one.share()));
    let mut text = "| partition | write units a second | in the busiest second | read units a second | in the busiest second | of its limit |\n\
                    |---|---|---|---|---|---|\n"
        .to_owned();
    for (partition, taken, grows, rate) in all.into_iter().take(10) {
        let most = |units: f64| match grows {
            Grows::WithOneAccount => String::from("–"),
            _ => format!("{units:.0}"),
        };
        let _ = writeln!(
            text,
            "| `{partition}` | {:.1} | {} | {:.1} | {} | {:.1} % |",
            rate.writes,
            most(taken.most_writes),
            rate.reads,
            most(taken.most_reads),
            rate.share() * 100.0
        );
    }
    text
}

/// The hottest partition of each sort, under all loads.
#[must_use]
pub fn comparison(lived: &[Lived]) -> String {
    let mut text = "| partitions | grow with |".to_owned();
    for one in lived {
        let _ = write!(text, " {}: writes, reads |", name(&one.load));
    }
    text.push_str(" limit at uploads an hour |\n|---|---|---|");
    text.push_str(&"---|".repeat(lived.len()));
    text.push('\n');
    let all: Vec<_> = lived.iter().map(families).collect();
    let mut names: Vec<Family> = all.iter().flat_map(BTreeMap::keys).copied().collect();
    names.sort_unstable();
    names.dedup();
    let most = |family: &Family| {
        let rates = all.iter().filter_map(|of_one| of_one.get(family));
        rates.map(|rate| rate.share()).fold(0.0, f64::max)
    };
    names.sort_by(|one, other| most(other).total_cmp(&most(one)));
    for family in names {
        let grows = lived.iter().find_map(|one| grows(one, family));
        let (words, limit) = match grows {
            Some(Grows::WithArrivals) => ("all uploads", UPLOADS / most(&family)),
            Some(Grows::WithInstances) => ("instances of functions", f64::INFINITY),
            Some(Grows::WithOneAccount) => ("one account's uploads", UPLOADS / ACCOUNTS / most(&family)),
            Some(Grows::Not) => ("nothing: one for each file", f64::INFINITY),
            Some(Grows::WithTime) | None => ("time", f64::INFINITY),
        };
        let _ = write!(text, "| {} | {words} |", family.name);
        for of_one in &all {
            let rate = of_one.get(&family).copied().unwrap_or_default();
            let _ = write!(text, " {:.2}, {:.2} |", rate.writes, rate.reads);
        }
        let limit = match grows {
            _ if limit.is_infinite() => "–".to_owned(),
            Some(Grows::WithOneAccount) => format!("{} of one account", thousands(limit)),
            _ => thousands(limit),
        };
        let _ = writeln!(text, " {limit} |");
    }
    text
}

fn grows(lived: &Lived, family: Family) -> Option<Grows> {
    let partitions = lived.heat.partitions.keys();
    let mut known = partitions.map(|partition| family::of(partition));
    known.find(|(of_it, _)| *of_it == family).map(|(_, grows)| grows)
}

/// By how much the loads differ at most in what grows with all uploads, as a share: for the hottest partitions, and for all of a sort
/// together.
#[must_use]
pub fn disagreement(one: &Lived, other: &Lived) -> (f64, f64) {
    let most = |one: &BTreeMap<Family, Rate>, other: &BTreeMap<Family, Rate>| {
        let shares = one.iter().filter_map(|(family, rate)| {
            let (rate, other) = (rate.share(), other.get(family)?.share());
            // What takes a thousandth of its limit is no matter.
            (rate.max(other) > 0.001).then(|| (rate - other).abs() / rate.max(other))
        });
        shares.fold(0.0, f64::max)
    };
    let only = |mut rates: BTreeMap<Family, Rate>| {
        rates.retain(|family, _| grows(one, *family) == Some(Grows::WithArrivals));
        rates
    };
    (
        most(&only(families(one)), &families(other)),
        most(&only(sums(one)), &sums(other)),
    )
}

/// What else was seen, under all loads.
#[must_use]
pub fn summary(lived: &[Lived]) -> String {
    let mut text = "| |".to_owned();
    for one in lived {
        let _ = write!(text, " {} |", name(&one.load));
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(lived.len()));
    text.push('\n');
    let mut row = |what: &str, cell: &dyn Fn(&Lived) -> String| {
        let cells: Vec<_> = lived.iter().map(cell).collect();
        let _ = writeln!(text, "| {what} | {} |", cells.join(" | "));
    };
    row("uploads, accounts, workers", &|one| {
        format!("{}, {}, {}", one.uploads, one.load.accounts, one.load.workers)
    });
    row("uploads that failed", &|one| one.failed.len().to_string());
    row("replicas that are there in the end", &|one| {
        one.lags.len().to_string()
    });
    row("an upload, p50 and p99", &|one| both(&one.took));
    row("a replica after its file, p50 and p99", &|one| both(&one.lags));
    row("messages that wait, mean and most", &|one| {
        let during = one.queued.iter().take(one.load.seconds as usize);
        let most = during.clone().max().copied().unwrap_or_default();
        let sum: usize = during.sum();
        let mean = f64::from(u32::try_from(sum).unwrap_or(u32::MAX)) / f64::from(one.load.seconds);
        format!("{mean:.2}, {most}")
    });
    row("messages being worked on, most", &|one| one.in_flight.to_string());
    row("messages of one invocation of a worker", &|one| {
        let requests = one.counts.functions.get("replicate").map_or(0, |it| it.requests);
        format!("{:.2}", count(one.uploads) / count_of(requests).max(1.0))
    });
    row(
        "transactions that meet another one at an item, and of those at the counters",
        &|one| {
            if one.load.less > 1 {
                // They meet less often where there are fewer, and not in proportion.
                return "–".to_owned();
            }
            let met = |with: &str| -> u64 {
                let of_it = one
                    .heat
                    .met
                    .iter()
                    .filter(|(partition, _)| partition.starts_with(with));
                of_it.map(|(_, count)| *count).sum()
            };
            let share = |count: u64| count_of(count) / count_of(one.heat.transactions).max(1.0) * 100.0;
            format!("{:.1} %, {:.1} %", share(met("")), share(met("TARGET#near#")))
        },
    );
    row("invocations at the same time, mean, times the scale", &|one| {
        let seconds: f64 = one.counts.functions.values().map(|it| it.seconds).sum();
        format!("{:.0}", seconds * per_second(&one.load))
    });
    row("write units of the table a second, times the scale", &|one| {
        format!("{:.0}", one.counts.write_units * per_second(&one.load))
    });
    row("read units of the table a second, times the scale", &|one| {
        format!("{:.0}", one.counts.read_units * per_second(&one.load))
    });
    row("PUT, POST and LIST of S3 a second, times the scale", &|one| {
        let put =
            |operation: &str| crate::cost::prices::of_request(operation) == Some(crate::cost::prices::S3_PUT);
        let requests = one.counts.requests.iter().filter(|(operation, _)| put(operation));
        let count: u64 = requests.map(|(_, count)| *count).sum();
        format!("{:.0}", count_of(count) * per_second(&one.load))
    });
    text
}

fn per_second(load: &Load) -> f64 {
    f64::from(load.less) / f64::from(load.seconds)
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

fn count_of(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

fn name(load: &Load) -> String {
    match (load.less, load.seconds) {
        (1, seconds) => format!("all of it for {seconds} s, {} workers", load.workers),
        (less, 3600) => format!("1/{less} for an hour"),
        (less, seconds) => format!("1/{less} for {seconds} s"),
    }
}

/// The middle of what is in order, and what all but a hundredth are below.
fn both(sorted: &[Duration]) -> String {
    let at = |percent: usize| {
        let value = sorted.get(sorted.len() * percent / 100);
        value.copied().unwrap_or_default().as_secs_f64()
    };
    format!("{:.2} s, {:.2} s", at(50), at(99))
}

/// A number with its thousands apart, in two digits that count.
fn thousands(number: f64) -> String {
    let digits = number.log10().floor().max(1.0) - 1.0;
    let unit = 10_f64.powf(digits);
    let rounded = format!("{:.0}", (number / unit).floor() * unit);
    let mut text = String::new();
    for (index, digit) in rounded.chars().enumerate() {
        if index > 0 && (rounded.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_down() {
        for (number, text) in [(1_234_567.0, "1,200,000"), (987.0, "980"), (54_321.0, "54,000")] {
            assert_eq!(thousands(number), text);
        }
    }
}
