//! What Longshore relies on in AWS, as AWS documents it: scenarios that any server of the same API can be put through.
//!
//! | module | what is in it |
//! |---|---|
//! | [`s3`], [`dynamodb`], [`sqs`], [`secrets`] | the scenarios of a service |
//! | [`run`] | how they are run, and what is known to differ |
//!
//! The tests of `simulation` put its doubles through all of them, and `e2e` here real servers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a scenario stops where it fails, and says so"
)]

/// The list of a service's scenarios, by their modules: with what they take of a place.
macro_rules! scenarios {
    ($place:ident: $type:ty; $($module:ident $arguments:tt: $($name:ident)*;)*) => {
        /// All of them, each for a place of its own.
        pub const SCENARIOS: &[crate::run::Scenario<$type>] = &[$($(
            crate::run::Scenario {
                name: stringify!($name),
                run: |$place| Box::pin($module::$name $arguments),
            },
        )*)*];
    };
}

pub mod dynamodb;
pub mod run;
pub mod s3;
pub mod secrets;
pub mod sqs;

use std::pin::Pin;

/// What is waited for.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;
