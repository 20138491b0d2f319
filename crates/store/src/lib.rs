//! DynamoDB, S3 and SQS as items, objects and messages. Use cases are in `service`.
//!
//! | module | what is in it |
//! |---|---|
//! | [`table`] | the one table: reads, conditional writes, transactions, the sweep's index |
//! | [`rows`] | everything that is written into the table, kind by kind (`docs/data-model.md`) |
//! | [`objects`] | the primary store: presigned URLs, multipart uploads, reads |
//! | [`queue`] | the replication queues |
//! | [`accounts`], [`sessions`], [`tokens`], [`tree`], [`folders`], [`uploads`], [`blobs`], [`replicas`], [`targets`] | a resource each, reached as `table.accounts()` |
//! | [`invitations`] | codes that are good once |
//! | [`throttle`] | how often somebody may try |
//! | [`idempotency`] | the same request again gets the same answer |
//! | [`lease`] | what one invocation does, and no other at the same time |
//! | [`reconcile`] | what the reconciler reads and repairs |
//! | [`error`] | what can go wrong, by kind |
//! | [`config`] | names and settings from environment variables |

pub mod accounts;
pub mod blobs;
pub mod config;
mod environment;
pub mod error;
pub mod folders;
pub mod idempotency;
pub mod invitations;
mod key;
pub mod lease;
pub mod objects;
pub mod queue;
mod recent;
pub mod reconcile;
pub mod replicas;
pub mod rows;
pub mod sessions;
pub mod table;
pub mod targets;
pub mod throttle;
pub mod tokens;
pub mod trash;
pub mod tree;
pub mod uploads;
pub mod versions;

pub use environment::{Environment, SecretText, timeouts};
pub use error::{Conflict, ErrorKind, StoreError};
pub use objects::Objects;
pub use queue::{DeadLetters, Queue, StartQueue};
pub use table::Table;
