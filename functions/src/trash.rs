//! The functions of the resource `trash`.

pub mod empty;
pub mod list;
pub mod restore;
