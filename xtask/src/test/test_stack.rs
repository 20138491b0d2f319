//! A stack that tests run on, and what they can have there.

use std::path::PathBuf;

/// Where tests run, and what they can have there.
pub(super) struct TestStack {
    /// The `stack.json`.
    pub(super) stack: PathBuf,
    /// The `ceph.json`, if there is a Ceph that they may do with as they like.
    pub(super) ceph: Option<PathBuf>,
    /// What is left out here, as parts of the tests' names.
    pub(super) left_out: Vec<&'static str>,
    /// The same, but not missed: it is run on another emulator.
    pub(super) run_elsewhere: Vec<&'static str>,
    pub(super) environment: Vec<(String, String)>,
}
