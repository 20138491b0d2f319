//! The targets of replication as the operator writes them down: one JSON document, kept as a secret.
//!
//! | module | what is in it |
//! |---|---|
//! | `config` | what a target is, and its credentials |
//! | `policy` | which targets apply to whose files |
//! | `document` | reading the document, and what may be wrong with it |
//! | [`registry`] | what every function may know of it: names and policies |

mod config;
mod document;
mod policy;
pub mod registry;

pub use config::{
    Addressing, Checksum, Config, Credentials, Kind, MAX_TARGETS, MAX_WORKERS, MIN_BYTES_PER_SECOND, Target,
};
pub use document::Invalid;
pub use policy::Policy;
