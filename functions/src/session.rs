//! The functions of the resource `session`.

pub mod create;
pub mod delete;
pub mod delete_all;
pub mod list;
pub mod refresh;
pub mod revoke;
