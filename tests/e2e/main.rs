//! End to end: against a deployed stack, over real HTTP, with the client of the command line.
//!
//! `cargo xtask test` starts a stack and runs all of this. Every test makes an account of its own, so they run at once.
//! What needs a real Ceph is in `real_ceph`, and can be left out by that name.

#![allow(clippy::disallowed_methods, reason = "tests run in real time")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops where it fails, and says so"
)]

mod access;
mod accounts;
mod api_walkthrough;
mod bad_input;
mod chaos;
mod circuits;
mod cli;
mod concurrency;
mod corruption;
mod downloads;
mod events;
mod failover;
mod faults;
mod finalizing;
mod forging;
mod format;
mod harness;
mod holes;
mod invitations;
mod logs;
mod lost_objects;
mod metrics;
mod oss_target;
mod our_side;
mod privileges;
mod public_endpoint;
mod real_ceph;
mod reconcile;
mod redrive;
mod remote_calls;
mod replication;
mod sessions;
mod sharing;
mod store_refuses;
mod survival;
mod sweep;
mod target_config;
mod targets;
mod throttling;
mod tree;
mod tree_model;
mod unreadable;
mod uploads;
