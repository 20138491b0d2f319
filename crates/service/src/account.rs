//! Accounts.

pub mod delete;
