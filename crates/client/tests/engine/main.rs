//! The client against a real HTTP server in this process, which checks what a store checks and fails on demand.
//! What the real API and a real store do is tested elsewhere, end to end.

#![allow(clippy::disallowed_methods, reason = "tests run in real time")]
#![expect(clippy::unwrap_used, reason = "what helps tests fails as tests do")]

mod batches;
mod begun;
mod calls;
mod completing;
mod conflicts;
mod content;
mod download_scene;
mod downloads;
mod fake_api;
mod fake_batches;
mod fake_creates;
mod fake_files;
mod fake_proofs;
mod fake_store;
mod fake_targets;
mod fake_versions;
mod local_files;
mod portals;
mod proofs;
mod replicas;
mod reply;
mod server;
mod sessions;
mod streams;
mod targets;
mod uploads;
mod versions;
mod world;

use client::transfer::{Observer, Options, TransferEvent};
use client::{Api, Retry, Token};
use server::Server;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use world::TOKEN;

/// Tries often, waits little.
const QUICK: Retry = Retry::new()
    .with_max_times(3)
    .with_min_delay(Duration::from_millis(1))
    .with_max_delay(Duration::from_millis(5))
    .with_jitter();

fn api(server: &Server) -> Api {
    Api::new(&server.base())
        .unwrap()
        .with_token(Token::new(TOKEN))
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
