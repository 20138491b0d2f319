//! The functions of the resource `target`.

pub mod list;
pub mod redrive;
