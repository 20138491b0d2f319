//! Counts what files cost on AWS, and prints it.

#![allow(clippy::print_stdout, reason = "it is a program for a terminal")]

use clap::Parser;
use simulation::cost;

/// Counts in the simulation what files of 10 KiB and of 1 GiB ask of AWS, and prices it.
#[derive(Parser)]
struct Arguments {}

fn main() {
    let Arguments {} = Arguments::parse();
    println!("Prices: {}\n\n{}", cost::prices::SOURCE, cost::document());
}
