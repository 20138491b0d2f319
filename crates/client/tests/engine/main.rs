//! The client against a real HTTP server in this process, which checks what a store checks and fails on demand.
//! What the real API and a real store do is tested elsewhere, end to end.

#![allow(clippy::disallowed_methods, reason = "tests run in real time")]
#![expect(clippy::unwrap_used, reason = "what helps tests fails as tests do")]

mod begun;
mod calls;
mod completing;
mod conflicts;
mod downloads;
mod fake_api;
mod fake_creates;
mod fake_proofs;
mod fake_store;
mod fake_targets;
mod local_files;
mod portals;
mod proofs;
mod replicas;
mod server;
mod sessions;
mod streams;
mod targets;
mod uploads;

use client::transfer::{Observer, Options, TransferEvent};
use client::{Api, Retry, Token};
use server::Server;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const MIB: usize = 1024 * 1024;

/// Tries often, waits little.
const QUICK: Retry = Retry::new()
    .with_max_times(3)
    .with_min_delay(Duration::from_millis(1))
    .with_max_delay(Duration::from_millis(5))
    .with_jitter();

fn api(server: &Server) -> Api {
    Api::new(&server.base())
        .unwrap()
        .with_token(Token::new(server::TOKEN))
        .with_retry(QUICK)
}

fn options(streams: usize) -> Options {
    Options {
        streams: NonZeroUsize::new(streams).unwrap(),
        retry: QUICK,
        stall: Duration::from_mins(1),
        finalize: Duration::from_secs(20),
        observer: Observer::silent(),
    }
}

/// What to set where a connection goes silent: longer than a busy machine is silent by itself.
const SHORT_STALL: Duration = Duration::from_secs(3);

/// Bytes that are different in every part and on every call with another seed.
fn bytes(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Remembers every event.
fn recorder() -> (Observer, Arc<Mutex<Vec<TransferEvent>>>) {
    let events: Arc<Mutex<Vec<TransferEvent>>> = Arc::default();
    let copy = Arc::clone(&events);
    (
        Observer::new(move |event| copy.lock().unwrap().push(event)),
        events,
    )
}

/// Bytes moved according to the events, less what was undone.
fn net(events: &Mutex<Vec<TransferEvent>>) -> i128 {
    let one = |event: &TransferEvent| match event {
        TransferEvent::Moved(bytes) => i128::from(*bytes),
        TransferEvent::Undone(bytes) => -i128::from(*bytes),
        _ => 0,
    };
    events.lock().unwrap().iter().map(one).sum()
}
