//! Use cases that are more than a read and an answer.
//!
//! | module | what is in it |
//! |---|---|
//! | [`account`], [`file`], [`folder`], [`target`], [`upload`] | what the functions of these names do |
//! | [`trash`] | removes what is in the trash |
//! | [`replicate`] | copies blobs to the targets, by any number of workers |
//! | [`sweep`] | repairs, expires and reclaims what is due |
//! | [`reconcile`] | compares bucket, targets and table |
//! | [`configured_targets`] | the targets as the operator configured them, ready to be used |
//! | [`unreachable`] | targets that did not answer just now |

pub mod account;
pub mod configured_targets;
pub mod file;
pub mod folder;
pub mod reconcile;
pub mod replicate;
pub mod sweep;
pub mod target;
pub mod trash;
pub mod unreachable;
pub mod upload;
