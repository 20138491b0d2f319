//! DynamoDB, S3 and SQS as Longshore uses them.
//!
//! | module | what is in it |
//! |---|---|
//! | [`table`] | the one table: reads, conditional writes, transactions, the sweep's index |
//! | [`rows`] | everything that is written into the table, kind by kind (`docs/data-model.md`) |
//! | [`objects`] | the primary store: presigned URLs, multipart uploads, reads |
//! | [`queue`] | the replication queue |
//! | [`accounts`], [`tree`], [`uploads`], [`blobs`] | what happens to rows of one kind |
//! | [`finalize`] | parts become a blob and a file: the one flow that spans them all |
//! | [`config`] | clients and names from the environment |

pub mod accounts;
pub mod blobs;
pub mod config;
pub mod error;
pub mod finalize;
pub mod objects;
pub mod queue;
pub mod rows;
pub mod table;
pub mod tree;
pub mod uploads;

pub use config::Aws;
pub use error::{Conflict, StoreError};
pub use objects::Objects;
pub use queue::Queue;
pub use table::Table;
