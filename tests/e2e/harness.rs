//! What the tests are made of.
//!
//! | module | what is in it |
//! |---|---|
//! | [`stack`] | what is deployed and where |
//! | [`person`] | an account of a test's own, and what people do |
//! | [`http`], [`problem`] | requests exactly as given, and what refusals must look like |
//! | [`aws`], [`signed`] | a look behind the API: table, bucket, queues |
//! | [`audit`] | what must hold whatever happened |
//! | [`sandbox`], [`proxy`] | one function in a process of its own, and faults between it and AWS |
//! | [`private_sweep`] | a sweep that only sees what a test gave it |
//! | [`proof`] | challenges, and answers to them |
//! | [`cli`] | the command line as a program |
//! | [`ceph`] | a real Ceph, read with boto3 |
//! | [`bytes`], [`wait`] | bytes nobody has stored yet; patience |

pub(crate) mod audit;
pub(crate) mod aws;
pub(crate) mod bytes;
pub(crate) mod ceph;
pub(crate) mod cli;
pub(crate) mod http;
pub(crate) mod person;
pub(crate) mod private_sweep;
pub(crate) mod problem;
pub(crate) mod proof;
pub(crate) mod proxy;
pub(crate) mod sandbox;
pub(crate) mod signed;
pub(crate) mod stack;
pub(crate) mod wait;
