//! The functions of the resource `account`.

pub mod create;
pub mod delete;
pub mod get;
pub mod invite;
pub mod reset_password;
pub mod set_password;
pub mod set_quota;
pub mod set_role;
