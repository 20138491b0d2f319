//! The functions of the resource `openapi`.

pub mod get;
