//! The command line as a program, against an API in this process that knows just enough.

#![allow(clippy::disallowed_methods, reason = "tests run in real time")]
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what helps tests fails as tests do")]

mod accounts;
mod downloads;
mod links;
mod listing;
mod output;
mod replicas;
mod sessions;
mod terminal;
mod tokens;
mod versions;
