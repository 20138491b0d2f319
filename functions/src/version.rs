//! The functions of the resource `version`.

pub mod delete;
pub mod list;
pub mod restore;
pub mod update;
