//! The functions of the resource `token`.

pub mod create;
pub mod delete;
pub mod list;
