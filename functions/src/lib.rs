//! The Lambda functions: one module for each, by resource and verb, and one program for each in `src/bin`.
//!
//! `upload-complete` is `upload::complete` here, `UploadCompleteFunction` in the template, and `events/upload-complete/`. A
//! module has one handler, which tests can call in their own process.

#![allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each module says at its top what its one function does; each has its `FUNCTION`"
)]

pub mod account;
pub mod file;
pub mod folder;
mod invocation;
pub mod openapi;
pub mod reconcile;
pub mod replicate;
mod run;
pub mod session;
pub mod sweep;
pub mod target;
pub mod token;
pub mod trash;
pub mod upload;
pub mod version;

pub use invocation::Invocation;
pub use run::{Exit, ForLog, Function, Instance, Service, Trigger};

include!(concat!(env!("OUT_DIR"), "/all.rs"));
