//! All conditions of writes, by operation and kind of item.

use crate::races::{self, Race};

/// How it is known that a condition is needed.
pub(crate) enum Evidence {
    /// The world of this seed is broken without it.
    World(u64),
    /// Without it this goes wrong.
    Race(Race),
    /// Nothing is broken without it alone, for this reason.
    NotAlone(&'static str),
    /// Something must be broken without it, but no world was found that is.
    NotFound(&'static str),
}
use Evidence::{NotAlone, NotFound, Race as In, World};

const RANDOM: &str = "The id is new and random. The condition makes a write whose answer was lost known when it is sent again.";
const ONE_TRANSACTION: &str = "The transaction has another condition that is false whenever this one is: what belongs \
    together is always written together.";
const SIGN_OUTS: &str = "A session says after how many sign-outs it began, and is over from its beginning when that is not the \
    account's number. The condition keeps such sessions out of the table.";
const DIGESTS: &str = "A finalizer that was held up for longer than its lease, and after whose listing other bytes were sent, \
    writes other digests than its successor. No world has such a client.";
const READ_AGAIN: &str = "All replicas of a blob are read and removed twenty minutes after it was marked. The condition saves \
    copying to a place where it is removed again.";
const THE_SAME: &str = "All writers write the same value.";
const MULTIPART: &str = "Two workers have to be at the same replica at the same moment, and one of them has to be overtaken \
    between its reading and its writing.";
const MARKED: &str =
    "An upload has to find a blob before the sweep marks it, and to be committed after that.";
const PASSES: &str = "A pass that two work on is done twice, and each of them goes through all pages of its own. The condition saves \
    that.";
const PUBLISHED: &str = "The next sweep, a minute later, reads the secret again and publishes what it says.";
const SETTLED: &str = "The item goes five minutes after the last request that could write to it at the earliest, and no call \
    is under way for so long. The condition is there for clocks that are wrong.";
const LOOKED_AT: &str =
    "When an upload is touched at the same moment, it is looked at once more, at its old time.";
const LEASES: &str = "Each item has conditions of its own. A lease saves doing everything twice.";

pub(crate) const LIST: &[(&str, Evidence)] = &[
    (
        "ConditionCheck ACCOUNT/ACCOUNT: attribute_exists(pk) AND attribute_not_exists(deletion_started_at) AND sign_outs = :sign_outs",
        NotAlone(SIGN_OUTS),
    ),
    (
        "ConditionCheck ACCOUNT/ACCOUNT: attribute_exists(pk) AND attribute_not_exists(deletion_started_at) AND (attribute_not_exists(sign_outs) OR sign_outs = :sign_outs)",
        NotAlone(SIGN_OUTS),
    ),
    (
        "ConditionCheck ACCOUNT/UPLOAD: version = :version",
        NotFound(DIGESTS),
    ),
    ("ConditionCheck BLOB/BLOB: reclaiming = :no", NotAlone(READ_AGAIN)),
    ("Delete ACCOUNT/ENTRY: node = :node", NotAlone(ONE_TRANSACTION)),
    (
        "Delete ACCOUNT/HAS_CONTENT: attribute_exists(pk)",
        NotAlone(ONE_TRANSACTION),
    ),
    (
        "Delete ACCOUNT/NODE: #file.#blob = :blob",
        NotAlone(ONE_TRANSACTION),
    ),
    ("Delete ACCOUNT/NODE: entries = :none", World(60003)),
    (
        "Delete BLOB/REPLICA: #state = :from AND since = :since",
        NotFound(MULTIPART),
    ),
    (
        "Delete USERNAME/USERNAME: account = :account",
        NotAlone(ONE_TRANSACTION),
    ),
    ("Put ACCOUNT/ACCOUNT: attribute_not_exists(pk)", NotAlone(RANDOM)),
    ("Put ACCOUNT/NODE: attribute_not_exists(pk)", NotAlone(RANDOM)),
    ("Put ACCOUNT/SESSION: attribute_not_exists(pk)", NotAlone(RANDOM)),
    ("Put ACCOUNT/UPLOAD: attribute_not_exists(pk)", NotAlone(RANDOM)),
    ("Put BLOB/BLOB: attribute_not_exists(pk)", NotAlone(RANDOM)),
    (
        "Put ACCOUNT/ATTEMPTS: #count = :count AND last_at = :last_at",
        In(races::guesses_of_a_password_once_more),
    ),
    (
        "Put ACCOUNT/ATTEMPTS: attribute_not_exists(pk)",
        In(races::guesses_of_a_password_once_more),
    ),
    ("Put ACCOUNT/ENTRY: attribute_not_exists(pk)", World(60000)),
    (
        "Put ACCOUNT/HAS_CONTENT: attribute_not_exists(pk)",
        NotAlone(ONE_TRANSACTION),
    ),
    (
        "Put ACCOUNT/KEY: attribute_not_exists(pk) OR #ttl <= :now",
        World(60001),
    ),
    (
        "Put ACCOUNT/NODE: #file.#blob = :blob",
        In(races::a_file_replaced_by_itself),
    ),
    ("Put ACCOUNT/UPLOAD: version = :version", World(60001)),
    ("Put BLOB/REPLICA: attribute_not_exists(pk)", World(60007)),
    (
        "Put BLOB/SEGMENT: attribute_not_exists(pk) OR multipart_id <> :multipart_id",
        NotFound(MULTIPART),
    ),
    ("Put CONTENT/CONTENT: attribute_not_exists(pk)", World(60012)),
    ("Put FORMAT/FORMAT: attribute_not_exists(pk)", NotAlone(THE_SAME)),
    (
        "Put RECONCILE/RECONCILE: attribute_not_exists(pk)",
        NotAlone(PASSES),
    ),
    ("Put RECONCILE/RECONCILE: version = :version", NotAlone(PASSES)),
    (
        "Put SIGNIN/ATTEMPTS: #count = :count AND last_at = :last_at",
        In(races::guesses),
    ),
    (
        "Put SIGNIN/ATTEMPTS: attribute_not_exists(pk)",
        In(races::first_guesses),
    ),
    (
        "Put TARGETS/TARGETS: attribute_not_exists(pk)",
        NotAlone(PUBLISHED),
    ),
    ("Put TARGETS/TARGETS: version = :version", NotAlone(PUBLISHED)),
    ("Put USERNAME/USERNAME: attribute_not_exists(pk)", World(20002)),
    (
        "Update ACCOUNT/ACCOUNT: attribute_exists(due_at)",
        NotAlone(SETTLED),
    ),
    ("Update ACCOUNT/ACCOUNT: attribute_exists(pk)", NotAlone(SETTLED)),
    ("Update ACCOUNT/ACCOUNT: free_bytes >= :bytes", World(20002)),
    (
        "Update ACCOUNT/ACCOUNT: password_hash = :hash AND attribute_not_exists(deletion_started_at)",
        In(races::a_new_password_for_a_deleted_account),
    ),
    (
        "Update ACCOUNT/ACCOUNT: password_hash = :old AND attribute_exists(pk) AND attribute_not_exists(deletion_started_at) AND (attribute_not_exists(sign_outs) OR sign_outs = :sign_outs)",
        In(races::two_new_passwords),
    ),
    (
        "Update ACCOUNT/ALLOWANCE: attribute_not_exists(spent) OR spent <= :most",
        In(races::creates_of_an_account),
    ),
    (
        "Update ACCOUNT/NODE: attribute_exists(pk)",
        NotAlone(ONE_TRANSACTION),
    ),
    (
        "Update ACCOUNT/NODE: attribute_exists(pk) AND attribute_not_exists(#file)",
        In(races::files_in_a_folder_that_goes),
    ),
    (
        "Update ACCOUNT/UPLOAD: attribute_exists(due_at)",
        NotAlone(SETTLED),
    ),
    ("Update ACCOUNT/UPLOAD: version = :version", NotAlone(LOOKED_AT)),
    ("Update BLOB/BLOB: #references >= :one", NotAlone(ONE_TRANSACTION)),
    (
        "Update BLOB/BLOB: attribute_exists(pk) AND reclaiming = :no AND attribute_not_exists(lost_since)",
        NotFound(MARKED),
    ),
    (
        "Update BLOB/REPLICA: #state = :from AND since = :since",
        NotFound(MULTIPART),
    ),
    (
        "Update BLOB/REPLICA: attribute_exists(due_at)",
        NotFound(MULTIPART),
    ),
    (
        "Update BLOB/REPLICA: attribute_not_exists(multipart_id) AND #state IN (:pending, :copying) AND since = :since",
        NotFound(MULTIPART),
    ),
    (
        "Update BLOB/REPLICA: multipart_id = :multipart_id AND #state <> :available AND attribute_exists(due_at)",
        NotFound(MULTIPART),
    ),
    (
        "Update LEASE/LEASE: attribute_not_exists(pk) OR #until < :now OR holder = :holder",
        NotAlone(LEASES),
    ),
    ("Update LEASE/LEASE: holder = :holder", NotAlone(LEASES)),
    (
        "Update SIGNIN/ALLOWANCE: attribute_not_exists(spent) OR spent <= :most",
        In(races::sign_ins_by_a_name),
    ),
    (
        "Update SOURCE/ALLOWANCE: attribute_not_exists(spent) OR spent <= :most",
        In(races::accounts_of_a_source),
    ),
];
