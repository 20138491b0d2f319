//! The rules of Longshore, free of I/O: everything here is a pure function of its arguments.
//!
//! | module | rule |
//! |---|---|
//! | [`content`] | how a file is cut into parts and what identifies its bytes |
//! | [`account`] | usernames, passwords, quota |
//! | [`session`] | how long sessions live, and what an exchange of a refresh token results in |
//! | [`token`] | the texts of tokens, what is stored of them, and their scopes |
//! | [`invitation`] | codes that are good once: for an account, or for a password |
//! | [`throttle`] | rate limits on attempts |
//! | [`name`] | what a file or folder may be called |
//! | [`path`] | paths of files and folders |
//! | [`upload`] | the states of an upload and what may happen in each |
//! | [`finalize`] | how parts become a blob and a file, step by step |
//! | [`proof`] | challenges: getting a file without sending its bytes |
//! | [`placement`] | what happens when a name is taken |
//! | [`folders`] | where folders may go |
//! | [`search`] | which names a search finds |
//! | [`trash`] | how long something is in the trash, and what goes with it |
//! | [`blob`] | reference counts: live, condemned, reclaiming |
//! | [`replica`] | how a blob is copied to a target: segments, states, back-off |
//! | [`targets`] | the targets as operators configure them, and which apply to whom |
//! | [`circuit`] | circuit breakers of targets |
//! | [`reconcile`] | what belongs to whom in the bucket and in the table |
//! | [`media_type`] | media types that are safe in headers |
//! | [`time`] | arithmetic on times |
//! | [`id`] | opaque identifiers |

pub mod account;
pub mod blob;
pub mod circuit;
pub mod content;
pub mod finalize;
pub mod folders;
pub mod id;
pub mod invitation;
pub mod media_type;
pub mod name;
pub mod path;
pub mod placement;
pub mod proof;
pub mod reconcile;
pub mod replica;
pub mod search;
pub mod session;
pub mod targets;
pub mod throttle;
pub mod time;
pub mod token;
pub mod trash;
pub mod upload;
pub mod versions;
