//! A load like that of `cargo xtask scale`, small enough for each test run.

#![allow(clippy::expect_used, reason = "a test stops where it fails, and says so")]

use simulation::scale::family::{Family, of};
use simulation::scale::load::{Lived, Load, live};
use simulation::scale::report::{families, sums};

/// Ten minutes of a thousandth, on five accounts.
fn lived() -> Lived {
    live(&Load {
        less: 1000,
        uploads: true,
        seconds: 600,
        accounts: 5,
        workers: 2,
    })
}

fn family(partition: &str) -> Family {
    of(partition).0
}

#[test]
fn what_partitions_take_is_what_was_consumed() {
    let lived = lived();
    assert_eq!(lived.failed, [""; 0]);
    // 167 are expected.
    assert!((120..220).contains(&lived.uploads), "{}", lived.uploads);
    assert_eq!(lived.lags.len(), lived.uploads, "each has its replica");

    // The heat is reckoned from the items, what is counted is what DynamoDB said.
    let taken = lived.heat.partitions.values();
    let (reads, writes) = taken.fold((0.0, 0.0), |(reads, writes), one| {
        (reads + one.reads, writes + one.writes)
    });
    let counts = &lived.counts;
    let close = |one: f64, other: f64| (one / other - 1.0).abs() < 0.01;
    assert!(close(writes, counts.write_units), "{writes} of {counts:?}");
    assert!(close(reads, counts.read_units), "{reads} of {counts:?}");
    for index in ["due", "waiting", "open"] {
        let of_index = lived.heat.partitions.iter();
        let of_index = of_index.filter(|(name, _)| name.starts_with(&format!("{index}/")));
        let units: f64 = of_index.map(|(_, taken)| taken.reads + taken.writes).sum();
        let counted = counts.by_index.get(index).copied().expect("an index");
        assert!(close(units, counted), "{index}: {units} of {counted}");
    }

    // A replica is in the index twice: when it begins to wait, and when it is there.
    let sums = sums(&lived);
    let waiting = sums[&family("waiting/near#bytes#0")].writes;
    let expected = f64::from(u32::try_from(2 * lived.uploads).expect("few")) * 1000.0 / 600.0;
    assert!(close(waiting, expected), "{waiting} of {expected}");
    // Each upload is some transactions. At a thousandth hardly any meets another one.
    let met: u64 = lived.heat.met.values().sum();
    let uploads = u64::try_from(lived.uploads).expect("few");
    assert!(
        lived.heat.transactions >= 4 * uploads,
        "{}",
        lived.heat.transactions
    );
    assert!(met * 50 < lived.heat.transactions, "{:?}", lived.heat.met);
    // Nothing is near the limit at a million uploads an hour.
    for (family, rate) in families(&lived) {
        assert!(rate.share() < 0.5, "{family:?}: {rate:?}");
    }
}
