//! Lives an hour with a million uploads, on a smaller scale, and says which partitions of the table are hot.

#![allow(clippy::print_stdout, reason = "it is a program for a terminal")]

use clap::Parser;
use simulation::scale::load::{hour, in_full};
use simulation::scale::{live_all, report};

/// Lives hours with a million uploads of 10,000 accounts, on two scales, and a minute in full; prints the hottest partitions of the
/// table, queues and replication lag.
#[derive(Parser)]
struct Arguments {
    /// How many times less, for each hour
    #[arg(long, value_delimiter = ',', default_value = "100,200")]
    scales: Vec<u32>,
    /// The workers of each minute in full; 0 leaves it out
    #[arg(long, value_delimiter = ',', default_value = "1000,20")]
    workers: Vec<u32>,
    /// How long that minute is, in seconds
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

fn main() {
    let arguments = Arguments::parse();
    let hours = arguments.scales.iter().map(|less| hour((*less).max(1)));
    let minutes = arguments.workers.iter().filter(|workers| **workers > 0);
    let minutes = minutes.map(|workers| in_full(*workers, arguments.seconds));
    let loads: Vec<_> = hours.chain(minutes).collect();
    let lived = live_all(&loads);
    println!("{}", report::summary(&lived));
    println!("{}", report::comparison(&lived));
    if let [one, other, ..] = lived.as_slice() {
        let (hottest, sums) = report::disagreement(one, other);
        println!(
            "The first two differ by at most {:.0} % in the hottest of a sort, and {:.0} % in all of a sort together.\n",
            hottest * 100.0,
            sums * 100.0
        );
    }
    // Where least is multiplied.
    if let Some(one) = lived.iter().min_by_key(|one| one.load.less) {
        println!("{}", report::hottest(one));
    }
    for one in &lived {
        one.failed
            .iter()
            .take(3)
            .for_each(|why| println!("failed: {why}"));
    }
}
