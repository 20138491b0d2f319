//! The functions of the resource `file`.

pub mod delete;
pub mod download;
pub mod get;
pub mod link;
pub mod list;
mod signed;
