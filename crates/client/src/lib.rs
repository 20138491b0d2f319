//! The client of Longshore's API and its transfer engine.
//!
//! | module | what it does |
//! |---|---|
//! | [`api`] | one method per endpoint, with timeouts and retries |
//! | [`types`] | what the endpoints answer |
//! | [`session`] | tokens that are exchanged for new ones in time |
//! | [`error`] | why a call failed and what to do about it |
//! | [`own_file`] | files of this program's own, safe from what others put in their place |
//! | [`tree`] | paths such as `photos/2026/a.jpg`, walked through the API |
//! | [`network`] | how requests leave this machine |
//! | [`transfer`] | uploads and downloads: parallel, verified, resumable |
//!
//! Tokens, passwords and presigned URLs never appear in `Debug` output or in errors.

#![allow(
    clippy::disallowed_methods,
    reason = "it runs on people's machines: nothing hands it another time"
)]

pub mod api;
mod backoff;
pub mod error;
mod http;
pub mod network;
pub mod own_file;
mod secret;
pub mod session;
pub mod transfer;
pub mod tree;
pub mod types;

pub use api::Api;
pub use backoff::Retry;
pub use error::ApiError;
pub use secret::{InvalidToken, SignedUrl, Token};
