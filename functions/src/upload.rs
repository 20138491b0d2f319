//! The functions of the resource `upload`.

pub mod abort;
pub mod complete;
pub mod create;
pub mod get;
pub mod list;
pub mod prove;
pub mod sign_parts;
