//! The one table: consistent reads, conditional writes, transactions, and the sweep's sparse index.

pub mod bulk;
mod class;
mod client;
mod conditional;
mod due;
mod format;
mod open;
mod reading;
mod retry;
mod row;
#[cfg(test)]
mod sample;
mod unreadable;
mod write;

pub use crate::key::Key;
pub use class::Class;
pub use client::Table;
pub use due::DueCursor;
pub(crate) use format::FormatCheck;
pub use reading::{Page, Rows};
pub use row::{Item, Opened, Row, Waiting};
pub use write::{Change, Write, number, text};
