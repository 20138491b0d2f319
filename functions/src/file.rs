//! The functions of the resource `file`.

pub mod batch;
pub mod copy;
pub mod delete;
pub mod download;
pub mod get;
pub mod link;
pub mod list;
pub(crate) mod relocation;
mod removal;
pub mod search;
mod signed;
pub mod update;
