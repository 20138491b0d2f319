//! What a program gets from the machine that it runs on, besides the network: the time, and random numbers.
//!
//! A program makes one [`Clock`] and one [`Rng`] when it starts and hands them to what it starts. So a test can hand in
//! others: a clock that it moves, and numbers that come from a seed. Clippy refuses what would go around them
//! (`disallowed-methods` in `clippy.toml`).
//!
//! Waiting, time-outs and durations are tokio's (`tokio::time`), whose time a test can pause.

mod clock;
mod rng;

pub use clock::Clock;
pub use rng::Rng;
