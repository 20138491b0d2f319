//! What the fake API and the fake store have, what is asked of them, and what goes wrong there.

use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

pub(crate) const TOKEN: &str = "t0k3n";
/// The refresh token that is good, and the one that is given for it.
pub(crate) const REFRESH: &str = "r3fr3sh";
pub(crate) const NEXT_REFRESH: &str = "n3xt";
/// Stands for a signature in every presigned URL.
pub(crate) const SIGNATURE: &str = "s1gnatur3";

/// What goes wrong once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// An error answer with this code.
    Answer(u16, &'static str),
    /// The same without reading the request, after which the connection closes, as real stores do.
    Early(u16, &'static str),
    /// Asked too often: stay away for so many seconds.
    Throttled(u32),
    /// The connection closes before anything was done.
    Drop,
    /// The connection closes after it was done, before the answer.
    LoseAnswer,
    /// The answer's body ends after so many bytes.
    Cut(usize),
    /// The answer's body ends after so many bytes, and the object is gone from then on.
    Vanish(usize),
    /// The file is given other bytes of the same length before this is answered.
    Replace(u64),
    /// A byte changes on the way.
    Corrupt,
    /// Something else answers, with this status and a web page, as networks do that want a sign-in.
    Portal(u16),
    /// No answer, ever.
    Silence,
    /// It takes so long.
    Slow(Duration),
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a habit of its own")]
pub(crate) struct World {
    pub(crate) uploads: Vec<FakeUpload>,
    pub(crate) nodes: Vec<Value>,
    /// The items of the batches that were asked for.
    pub(crate) batches: Vec<Vec<String>>,
    /// Items of batches of which nobody knows whether they were done, each for once. They are.
    pub(crate) unsure: Vec<String>,
    /// What the first file had before, the newest first.
    pub(crate) versions: Vec<Value>,
    /// Bytes of files and versions by id.
    pub(crate) objects: HashMap<String, Vec<u8>>,
    /// What happened, one line each: `PUT part 3`, `POST uploads/u1/complete`.
    pub(crate) log: Vec<String>,
    /// The first entry whose text a log line begins with happens and is removed.
    pub(crate) faults: Vec<(String, Fault)>,
    /// How many URLs were signed; URLs up to `expired` are denied.
    pub(crate) signed: usize,
    pub(crate) expired: usize,
    pub(crate) ignore_ranges: bool,
    /// Where URLs lead when the object is not here, in turn.
    pub(crate) elsewhere: Vec<String>,
    /// The store does not say what it computed of the bytes it got.
    pub(crate) quiet: bool,
    /// This store speaks as Alibaba's OSS does.
    pub(crate) oss: bool,
    /// It is of a time before folders were found by their paths.
    pub(crate) ignores_paths: bool,
    /// How often the session was ended.
    pub(crate) sign_outs: usize,
    /// The refresh tokens that came.
    pub(crate) exchanged: Vec<String>,
    /// The account may look after targets.
    pub(crate) operator: bool,
    pub(crate) targets: Vec<Value>,
    /// How often completing says "not yet".
    pub(crate) not_yet: usize,
    /// Parts that the store loses when an upload is completed, once.
    pub(crate) lose: Vec<u32>,
    /// Other people's bytes by content id.
    pub(crate) foreign: HashMap<String, Vec<u8>>,
    /// Happens once, right after somebody was challenged or right before a folder is made.
    pub(crate) meanwhile: Option<Meanwhile>,
    /// What was answered to which body, by idempotency key.
    pub(crate) answered: HashMap<String, (Vec<u8>, u16, Value)>,
    /// The bodies of all calls that completed an upload; null for none.
    pub(crate) destinations: Vec<Value>,
    /// The keys of all calls that had one.
    pub(crate) keys: Vec<String>,
}

pub(crate) type Meanwhile = Box<dyn FnOnce(&mut World) + Send>;

pub(crate) struct FakeUpload {
    pub(crate) facts: Value,
    /// What is to be proved; not among the facts, because a list does not show it.
    pub(crate) challenge: Option<Value>,
    /// By number: digest in base64 and bytes.
    pub(crate) parts: BTreeMap<u32, (String, Vec<u8>)>,
}
