//! What the tests are made of.
//!
//! | module | what is in it |
//! |---|---|
//! | [`stack`] | what is deployed and where |
//! | [`person`] | an account of a test's own, and what people do |
//! | [`http`], [`problem`] | requests exactly as given, and what refusals must look like |
//! | [`aws`], [`signed`] | a look behind the API: table, bucket, queues |
//! | [`documented`], [`secrets`] | what every answer and every log is held to |
//! | [`audit`] | what must hold whatever happened |
//! | [`sandbox`], [`proxy`] | one function in a process of its own, and faults between it and AWS |
//! | [`processes`] | the processes of the stack's own functions, and killing them |
//! | [`roles`] | what such a function may do |
//! | [`leases`], [`private_sweep`] | leases of its own; a sweep that only sees what a test made due for it |
//! | [`proof`] | challenges, and answers to them |
//! | [`cli`] | the command line as a program |
//! | [`ceph`], [`oss`] | a real Ceph, read with boto3; an OSS server, read with OSS's own clients |
//! | [`targets`], [`test_targets`] | targets of a test's own |
//! | [`target_proxy`] | faults between workers and a target |
//! | [`queues`], [`workers`] | queues that nobody else reads, and workers that a test can kill |
//! | [`world`] | a table, a bucket, queues and targets of a test's own |
//! | [`bytes`], [`wait`] | bytes nobody has stored yet; patience |

pub(crate) mod audit;
pub(crate) mod aws;
pub(crate) mod bytes;
pub(crate) mod ceph;
pub(crate) mod cli;
pub(crate) mod documented;
pub(crate) mod http;
mod leases;
pub(crate) mod oss;
pub(crate) mod person;
pub(crate) mod private_sweep;
pub(crate) mod problem;
pub(crate) mod processes;
pub(crate) mod proof;
pub(crate) mod proxy;
pub(crate) mod queues;
pub(crate) mod roles;
pub(crate) mod sandbox;
pub(crate) mod secrets;
pub(crate) mod signed;
pub(crate) mod stack;
pub(crate) mod target_proxy;
pub(crate) mod targets;
pub(crate) mod test_targets;
pub(crate) mod wait;
pub(crate) mod workers;
pub(crate) mod world;
