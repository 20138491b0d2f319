//! What goes over HTTP, once for everybody: the functions, the client, the tests and the tools.
//!
//! Each resource has a module with the bodies of its requests and answers, and one declaration for each endpoint, made by
//! [`endpoint!`]: method, path, who may call it, what it reads, what it answers, which problems it may answer. Its `ENDPOINTS`
//! lists them, and [`ENDPOINTS`] has all. A declaration is a type (`file::Get`), and so the compiler holds handlers to it.

#[macro_use]
mod endpoint;
#[macro_use]
pub mod query;

pub mod account;
pub mod answer;
pub mod batch;
pub mod body;
mod declaration;
pub mod document;
pub mod file;
pub mod folder;
pub mod openapi;
pub mod page;
pub mod path;
pub mod precondition;
pub mod problem;
mod registry;
mod schemas;
pub mod session;
pub mod target;
pub mod token;
pub mod trash;
pub mod upload;
pub mod version;

pub use answer::Answer;
pub use declaration::Declaration;
pub use endpoint::{Caller, Declares, Endpoint, caller};
pub use problem::{Code, code};
pub use registry::{ENDPOINTS, endpoint};
pub use schemas::Schemas;
