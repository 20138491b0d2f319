//! The OSS server over HTTP: what it does, and above all what it refuses.

#![allow(clippy::disallowed_methods, reason = "tests run in real time")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it fails, and says so"
)]

mod ask;
mod faulty;
mod multiparts;
mod objects;
mod reply;
mod restarts;
mod signatures;
