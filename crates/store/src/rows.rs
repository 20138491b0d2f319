//! Everything that is written into the table, kind by kind. `docs/data-model.md` explains it key by key.

mod account;
mod blob;
mod folder;
mod format;
mod invitation;
mod keys;
mod memory;
mod reconcile;
mod replica;
mod session;
mod target;
mod trash;
mod tree;
mod upload;
mod version;

pub use account::{AccountRow, UsernameRow};
pub use blob::{BlobRow, ContentRow, PartDigestsRow};
pub use folder::{FolderChangesRow, FolderRow};
pub use format::FormatRow;
pub use invitation::{InvitationRow, Owner};
pub(crate) use keys::lease_key;
pub use keys::{account_partition, blob_partition, object_key};
pub use memory::{Allowance, AttemptsRow, KeyRow, KnownSourceRow};
pub use reconcile::ReconcileRow;
pub use replica::{ReplicaRow, SegmentRow, waiting_for};
pub use session::{SessionRow, TokenRow};
pub use target::{
    CircuitRow, ReplicaCountersRow, SamplesRow, SlotRow, TargetRegistryRow, WaitingFor, target_partition,
    waiting_shard,
};
pub use trash::{CountedFolder, Counting, EmptiedRow, TrashPlace, TrashRow};
pub use tree::{EntryRow, FileContent, NodeRow};
pub use upload::{OpenUploadKey, StoredChallenge, UploadOwnerRow, UploadRow};
pub use version::{ContentReferenceRow, VersionRow};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    /// The word that a key begins with, if this is a key's: `UPLOAD#{upload}`, `HAS_CONTENT#{content}`, `BLOB`.
    fn word(text: &str) -> Option<&str> {
        let word = text.split('#').next()?;
        let is_word = word.len() > 2 && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        is_word.then_some(word)
    }

    /// Every kind of key that is written is in the table of `docs/data-model.md`, and none that is not.
    #[test]
    fn the_data_model_has_every_key() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let files = fs::read_dir(root.join("src/rows")).unwrap();
        let files = files.map(|entry| entry.unwrap().path());
        let mut written = BTreeSet::new();
        for file in files.chain([root.join("src/rows.rs")]) {
            let source = fs::read_to_string(file).unwrap();
            let code = source.split("#[cfg(test)]").next().unwrap();
            let texts = code.split('"').skip(1).step_by(2);
            written.extend(texts.filter_map(word).map(str::to_owned));
        }

        let text = fs::read_to_string(root.join("../../docs/data-model.md")).unwrap();
        let table = text.split_once("| item | `pk` | `sk` |").unwrap().1;
        let rows = table.lines().skip(2).map_while(|line| line.strip_prefix("| "));
        let mut said = BTreeSet::new();
        for row in rows {
            let keys = row
                .split(" | ")
                .skip(1)
                .take(2)
                .flat_map(|cell| cell.split('`').skip(1).step_by(2));
            let words = keys.flat_map(|key| key.split(|c: char| !c.is_ascii_uppercase() && c != '_'));
            said.extend(words.filter_map(word).map(str::to_owned));
        }
        assert!(said.len() > 20, "{said:?}");
        assert_eq!(said, written, "docs/data-model.md and rows");
    }
}
