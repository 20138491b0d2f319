//! All of Longshore and all that it uses of AWS in one process, from one seed.
//!
//! | module | what is in it |
//! |---|---|
//! | [`cloud`] | AWS and the targets: where calls arrive, take their time, and fail |
//! | `dynamodb`, [`s3`], `sqs`, `secrets` | the services, in memory |
//! | [`template`] | what `infra/template.yaml` says of functions and queues |
//! | [`lambda`] | instances of functions, and their invocations |
//! | [`gateway`], [`events`] | what invokes them: requests to the API, messages, schedules |
//! | [`world`] | everything deployed, from one seed |
//! | [`person`] | users and what they do |
//! | [`real_client`] | the client that people run |
//! | [`audit`] | what must hold |
//! | [`cost`] | what files cost on AWS; `cargo xtask cost` |
//! | [`scale`] | a million uploads in an hour; `cargo xtask scale` |
//! | [`random`] | random users, faults and operators; `cargo xtask simulate` |

mod all_cores;
pub mod audit;
pub mod cloud;
pub mod cost;
mod dynamodb;
pub mod events;
pub mod gateway;
pub mod lambda;
pub mod person;
pub mod random;
pub mod real_client;
pub mod s3;
pub mod scale;
mod secrets;
mod sqs;
pub mod template;
#[cfg(test)]
mod test_client;
pub mod world;

pub use all_cores::on_all_cores;
pub use dynamodb::{DynamoDb, DynamoDbError, Usage};
pub use s3::S3;
pub use secrets::Secrets;
pub use sqs::{Depth, Kept, Message, MessageAttribute, QueueSettings, Redrive, Sqs, SqsError};
