//! The functions of the resource `folder`.

pub mod create;
