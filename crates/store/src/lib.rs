//! DynamoDB, S3 and SQS as Longshore uses them.
//!
//! | module | what is in it |
//! |---|---|
//! | [`table`] | the one table: reads, conditional writes, transactions, the sweep's index |
//! | [`rows`] | everything that is written into the table, kind by kind (`docs/data-model.md`) |
//! | [`objects`] | the primary store: presigned URLs, multipart uploads, reads |
//! | [`queue`] | the replication queues |
//! | [`accounts`], [`sessions`], [`tree`], [`uploads`], [`blobs`], [`replicas`], [`targets`] | what happens to rows of one kind |
//! | [`invitations`] | codes that are good once |
//! | [`closing`] | accounts that are deleted |
//! | [`placing`] | files come into a tree, whatever has their name already |
//! | [`possession`] | challenges: files whose bytes need not be sent |
//! | [`throttle`] | how often somebody may try |
//! | [`idempotency`] | the same request again gets the same answer |
//! | [`finalize`] | parts become a blob and a file: the one flow that spans them all |
//! | [`reclaim`] | blobs whose bytes are deleted, many at once |
//! | [`lease`] | what one invocation does, and no other at the same time |
//! | [`reconcile`] | what the reconciler reads and repairs |
//! | [`config`] | clients and names from the environment |

pub mod accounts;
pub mod blobs;
pub mod closing;
pub mod config;
pub mod error;
pub mod finalize;
pub mod idempotency;
pub mod invitations;
mod key;
pub mod lease;
pub mod objects;
pub mod placing;
pub mod possession;
pub mod queue;
mod recent;
pub mod reclaim;
pub mod reconcile;
pub mod replicas;
pub mod rows;
pub mod sessions;
pub mod table;
pub mod targets;
pub mod throttle;
pub mod tree;
pub mod uploads;

pub use config::Aws;
pub use error::{Conflict, ErrorKind, StoreError};
pub use objects::Objects;
pub use queue::{DeadLetters, Queue, StartQueue};
pub use table::Table;
