//! Partitions of one sort.

use super::load::{ACCOUNTS, Load};

/// What decides how much a partition takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grows {
    /// There is a fixed number of them, whatever the load: what each takes grows with all arrivals.
    WithArrivals,
    /// Each instance of a function reads it when it starts, or twice a minute: more often than that for each upload it never is, so on a
    /// small scale too many are reckoned.
    WithInstances,
    /// There is one for each account: what it takes grows with the arrivals of one account.
    WithOneAccount,
    /// There is one for each file: it takes what a file takes, once.
    Not,
    /// What it takes comes from schedules: the same at any load.
    WithTime,
}

/// Partitions of one sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Family {
    /// What they are called, with what differs in angle brackets.
    pub name: &'static str,
    /// What the first of them begins with.
    prefix: &'static str,
}

const ALL: [(Family, Grows); 15] = [
    family(
        "`due`: `<0 to 63>`, uploads and replicas",
        "due/",
        Grows::WithArrivals,
    ),
    family(
        "`waiting`: `<target>#bytes#<0 to 3>`",
        "waiting/",
        Grows::WithArrivals,
    ),
    family("`open`: `<account>`", "open/", Grows::WithOneAccount),
    family("`ACCOUNT#<account>`", "ACCOUNT#", Grows::WithOneAccount),
    family("`BLOB#<blob>`", "BLOB#", Grows::Not),
    family("`CONTENT#<content id>`", "CONTENT#", Grows::Not),
    family(
        "`TARGET#<target>`: the circuit",
        "TARGET#near",
        Grows::WithArrivals,
    ),
    family(
        "`TARGET#<target>#<00 to 15>`: the counters",
        "TARGET#near#",
        Grows::WithArrivals,
    ),
    family("`TARGETS`: the target registry", "TARGETS", Grows::WithInstances),
    family("`FORMAT`", "FORMAT", Grows::WithInstances),
    family("`due`: `b<0 to 15>`, blobs", "due/b", Grows::WithTime),
    family("`due`: `a0`, accounts", "due/a", Grows::WithTime),
    family("`LEASE#<class>`", "LEASE#", Grows::WithTime),
    family("`RECONCILE`", "RECONCILE", Grows::WithTime),
    family("others", "", Grows::WithArrivals),
];

const fn family(name: &'static str, prefix: &'static str, grows: Grows) -> (Family, Grows) {
    (Family { name, prefix }, grows)
}

/// The sort that a partition is of: that with the longest beginning. What nobody knows is taken to grow with all arrivals.
#[must_use]
pub fn of(partition: &str) -> (Family, Grows) {
    let mut found = ALL[ALL.len() - 1];
    for one in ALL {
        if partition.starts_with(one.0.prefix) && one.0.prefix.len() > found.0.prefix.len() {
            found = one;
        }
    }
    found
}

/// By how much what a partition took under some load is to be multiplied.
#[must_use]
pub fn factor(grows: Grows, load: &Load) -> f64 {
    match grows {
        Grows::WithArrivals | Grows::WithInstances => f64::from(load.less),
        Grows::WithOneAccount => f64::from(load.less) * f64::from(load.accounts) / ACCOUNTS,
        Grows::Not | Grows::WithTime => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_grows_with_what_it_is_of() {
        for (partition, grows) in [
            ("due/17", Grows::WithArrivals),
            ("due/b3", Grows::WithTime),
            ("waiting/near#bytes#2", Grows::WithArrivals),
            ("TARGET#near#07", Grows::WithArrivals),
            ("ACCOUNT#0a", Grows::WithOneAccount),
            ("BLOB#0a", Grows::Not),
            ("something new", Grows::WithArrivals),
        ] {
            assert_eq!(of(partition).1, grows, "{partition}");
        }
        assert_ne!(of("TARGET#near").0, of("TARGET#near#07").0);
        let load = super::super::load::hour(100);
        assert!((factor(Grows::WithArrivals, &load) - 100.0).abs() < 0.01);
        assert!((factor(Grows::WithOneAccount, &load) - 1.0).abs() < 0.01);
    }
}
