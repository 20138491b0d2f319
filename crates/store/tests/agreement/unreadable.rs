//! One row that cannot be read, of each kind in turn: what has nothing to do with it goes on, and says that it is missing.

use crate::stack::{new_id, now, objects, table};
use crate::{Item, put};
use domain::account::Username;
use domain::content::ContentId;
use domain::id::{AccountId, BlobId, NodeId};
use domain::throttle::Source;
use jiff::Timestamp;
use serde_json::{Value, json};
use service::account::delete::delete_contents;
use store::rows::{
    AccountRow, AttemptsRow, BlobRow, CircuitRow, ContentReferenceRow, EntryRow, FileContent, KnownSourceRow,
    NodeRow, ReplicaCountersRow, SamplesRow, SessionRow, TokenRow, UploadRow, UsernameRow, account_partition,
    target_partition,
};
use store::table::Key;
use store::{ErrorKind, StoreError, Table};

const CONTENT: &str = "AzeAIB3q5CLlOsBZwSpKu8CaLA7QUyq8Pjh+4MHg3OQ=-1";

/// An account with two of everything.
struct Home {
    account: AccountRow,
    blob: BlobId,
    nodes: [NodeId; 2],
    /// The keys of the first of each kind, which are to be broken.
    first: Vec<Key>,
}

async fn put_row(table: &Table, key: &Key, attributes: Value) {
    put(table, &[&Item::new(key, attributes)]).await.unwrap();
}

/// Makes an attribute one that nobody understands.
async fn break_row(table: &Table, key: &Key, attribute: &str) {
    let mut item: Item = table.get(key).await.unwrap().unwrap();
    item.0.insert(attribute.to_owned(), json!({ "odd": true }));
    put(table, &[&item]).await.unwrap();
}

impl Home {
    async fn new(table: &Table) -> Self {
        let id: AccountId = new_id();
        let username: Username = format!("unreadable-{id}").try_into().unwrap();
        let account = AccountRow {
            id,
            username,
            password_hash: "nobody signs in".to_owned(),
            quota_bytes: 100,
            free_bytes: 40,
            version_bytes: 0,
            trash_bytes: 0,
            role: domain::account::Role::User,
            sign_outs: 0,
            deletion_started_at: None,
            created_at: now(),
        };
        table
            .accounts()
            .create(&account, &Source::of(None), None)
            .await
            .unwrap();
        let (id, blob): (_, BlobId) = (&account.id, new_id());
        let content: ContentId = CONTENT.parse().unwrap();
        let row = json!({
            "id": blob, "content_id": content, "size": 29, "references": 2, "reclaiming": false, "created_at": now(),
        });
        put_row(table, &BlobRow::key_of(&blob), row).await;
        let nodes: [NodeId; 2] = [new_id(), new_id()];
        let mut first = Vec::new();
        for (node, name) in nodes.iter().zip(["a", "b"]) {
            let entry = EntryRow::key_of(id, None, &name.parse().unwrap());
            let of_file = FileContent::new(29, None, content, blob.clone());
            let content_reference = ContentReferenceRow::key_of(id, node, &of_file);
            let file = json!({ "size": 29, "content_id": content, "blob": blob });
            let row = json!({
                "id": node, "account": id, "name": name, "file": &file, "entries": 0,
                "version": 1, "created_at": now(), "updated_at": now(),
            });
            put_row(table, &NodeRow::key_of(id, node), row).await;
            let row = json!({
                "account": id, "name": name, "node": node, "file": file, "version": 1, "created_at": now(), "updated_at": now(),
            });
            put_row(table, &entry, row).await;
            let row =
                json!({ "account": id, "content_id": content, "node": node, "number": 1, "blob": blob });
            put_row(table, &content_reference, row).await;
            let (upload, token, session) = (new_id(), new_id(), new_id());
            let keys = [
                UploadRow::key_of(id, &upload),
                TokenRow::key_of(id, &token),
                SessionRow::key_of(id, &session),
            ];
            let row = json!({
                "id": upload, "account": id, "state": "finalizing", "name": "u", "size": 1, "on_conflict": "fail",
                "blob": new_id::<BlobId>(), "expires_at": now(), "created_at": now(), "version": 1,
                "open_account": id, "open_in": format!("#{upload}"),
            });
            put_row(table, &keys[0], row).await;
            let row = json!({
                "account": id, "id": token, "name": "CI", "scopes": ["read"],
                "hash": "ZIqlxXn7MPOK90TZfW7IQMepEnekmaDXgPPnMU7KCQs", "created_at": now(), "expires_at": Timestamp::MAX,
            });
            put_row(table, &keys[1], row).await;
            let row = json!({
                "account": id, "id": session, "sign_outs": 0, "current": "Zmh6rfhivXdsj8GLjp-OIAiXFIVu4jOzkCpZHQ1fKSU",
                "began_at": now(), "refreshed_at": now(),
            });
            put_row(table, &keys[2], row).await;
            if name == "a" {
                first.extend(keys);
                first.extend([NodeRow::key_of(id, node), entry, content_reference]);
            }
        }
        Self {
            account,
            blob,
            nodes,
            first,
        }
    }

    /// How many files, uploads and tokens there are, and how many of each cannot be read.
    async fn listed(&self, table: &Table) -> [(usize, usize); 3] {
        let id = &self.account.id;
        let nodes = table.tree().children(id, None, None, 100).await.unwrap();
        let uploads = table.uploads().page(id, None, 100).await.unwrap();
        let tokens = table.tokens().page(id, None, 100).await.unwrap();
        [
            (nodes.rows.len(), nodes.unreadable.len()),
            (uploads.rows.len(), uploads.unreadable.len()),
            (tokens.rows.len(), tokens.unreadable.len()),
        ]
    }

    async fn remove(self, table: &Table) {
        let mut keys = table.keys(&account_partition(&self.account.id)).await.unwrap();
        keys.extend([
            BlobRow::key_of(&self.blob),
            UsernameRow::key_of(&self.account.username),
        ]);
        table.delete_all(&keys).await.unwrap();
    }
}

#[tokio::test]
async fn lists_leave_out_what_cannot_be_read_and_say_so() {
    let table = &table().await;
    let home = Home::new(table).await;
    let whole = (2, 0);
    assert_eq!(home.listed(table).await, [whole; 3]);
    for (kind, attribute, list) in [
        ("ENTRY#", "created_at", 0),
        ("ENTRY#", "name", 0),
        ("ENTRY#", "file", 0),
        ("ENTRY#", "node", 0),
        ("UPLOAD#", "created_at", 1),
        ("UPLOAD#", "state", 1),
        ("TOKEN#", "scopes", 2),
    ] {
        let key = home.first.iter().find(|key| key.sk.starts_with(kind)).unwrap();
        let sound: Item = table.get(key).await.unwrap().unwrap();
        break_row(table, key, attribute).await;
        let mut expected = [whole; 3];
        expected[list] = (1, 1);
        assert_eq!(home.listed(table).await, expected, "{kind} {attribute}");
        // However often it was met.
        assert_eq!(home.listed(table).await, expected, "{kind} {attribute}");
        assert_eq!(table.take_unreadable(), 1, "{kind} {attribute}");
        put(table, &[&sound]).await.unwrap();
    }
    assert_eq!(home.listed(table).await, [whole; 3]);
    assert_eq!(table.take_unreadable(), 0);
    home.remove(table).await;
}

/// The file itself goes as long as it can be told what goes with it, and otherwise it is said that it cannot be.
#[tokio::test]
async fn what_cannot_be_read_is_deleted_by_what_can() {
    let table = &table().await;
    for (attribute, goes) in [
        ("created_at", true),
        ("updated_at", true),
        ("entries", true),
        ("name", false),
        ("parent", false),
        ("file", false),
        ("version", false),
    ] {
        let home = Home::new(table).await;
        let (id, node) = (&home.account.id, &home.nodes[0]);
        break_row(table, &NodeRow::key_of(id, node), attribute).await;
        match table.tree().remains(id, node).await {
            Ok(remains) => {
                table.tree().delete(&remains.unwrap(), now()).await.unwrap();
                let account = table.accounts().get(id).await.unwrap().unwrap();
                let blob = table.blobs().get(&home.blob).await.unwrap().unwrap();
                assert_eq!((account.free_bytes, blob.references), (69, 1), "{attribute}");
                assert_eq!(table.tree().remains(id, node).await.unwrap(), None, "{attribute}");
                assert!(goes, "{attribute}");
            }
            Err(StoreError {
                kind: ErrorKind::Corrupt,
                key: Some(key),
                ..
            }) => {
                assert!(!goes && key.sk == NodeRow::key_of(id, node).sk, "{attribute}");
            }
            Err(error) => panic!("{attribute}: {error}"),
        }
        home.remove(table).await;
    }
}

/// One of each kind at a time, and then all of them: the account goes with all that it has.
#[tokio::test]
async fn an_account_is_deleted_whatever_of_it_cannot_be_read() {
    let (table, objects) = (&table().await, objects().await);
    let kinds = ["UPLOAD#", "TOKEN#", "SESSION#", "NODE#", "ENTRY#", "HAS_CONTENT#"];
    let mut cases: Vec<Vec<&str>> = kinds.map(|kind| vec![kind]).to_vec();
    cases.push(kinds.to_vec());
    for broken in cases {
        let home = Home::new(table).await;
        let pk = account_partition(&home.account.id);
        for key in &home.first {
            if broken.iter().any(|kind| key.sk.starts_with(kind)) {
                let attribute = match key.sk.split('#').next() {
                    Some("ENTRY" | "HAS_CONTENT") => "node",
                    Some("SESSION") => "began_at",
                    _ => "created_at",
                };
                break_row(table, key, attribute).await;
            }
        }
        // What is being finalized is the sweep's. It has ended.
        for key in table.keys(&pk).await.unwrap() {
            if key.sk.starts_with(UploadRow::PREFIX) {
                let mut item: Item = table.get(&key).await.unwrap().unwrap();
                item.0.insert("state".to_owned(), json!("complete"));
                put(table, &[&item]).await.unwrap();
            }
        }
        let deleted = AccountRow {
            deletion_started_at: Some(Timestamp::UNIX_EPOCH),
            ..home.account.clone()
        };
        let gone = delete_contents(table, &objects, &deleted, now(), || true).await;
        assert!(gone.unwrap(), "{broken:?}");
        let left = table.keys(&pk).await.unwrap();
        assert!(left.is_empty(), "{broken:?}: {left:?}");
        let blob = table.blobs().get(&home.blob).await.unwrap().unwrap();
        assert_eq!(blob.references, 0, "{broken:?}");
        let met = u64::from(broken.contains(&"UPLOAD#")) + u64::from(broken.contains(&"NODE#"));
        assert_eq!(table.take_unreadable(), met, "{broken:?}");
        home.remove(table).await;
    }
}

/// Who signs in is not kept out by what is remembered of earlier attempts.
#[tokio::test]
async fn what_is_remembered_of_sign_ins_begins_anew() {
    let table = &table().await;
    let home = Home::new(table).await;
    let (account, source) = (&home.account, Source::of(None));
    let session = home
        .first
        .iter()
        .find(|key| key.sk.starts_with("SESSION#"))
        .unwrap();
    let id = session.sk.strip_prefix("SESSION#").unwrap().parse().unwrap();
    break_row(table, session, "current").await;
    let found = table.sessions().get(&account.id, &id, now()).await.unwrap();
    assert!(found.is_none());

    let known = KnownSourceRow::key_of(&account.id, &source);
    let is_known = async || {
        let visitor = table
            .throttle()
            .visitor(&account.username, &source, now())
            .await
            .unwrap();
        assert!(visitor.account.is_some());
        visitor.is_known
    };
    assert!(is_known().await);
    break_row(table, &known, "expires_at").await;
    assert!(!is_known().await);

    let attempts = AttemptsRow::of_sign_in(&account.username, &source);
    table
        .throttle()
        .count_attempt(&attempts, now())
        .await
        .unwrap()
        .unwrap();
    break_row(table, &attempts, "count").await;
    table
        .throttle()
        .count_attempt(&attempts, now())
        .await
        .unwrap()
        .unwrap();
    let again: AttemptsRow = table.get(&attempts).await.unwrap().unwrap();
    assert_eq!(again.attempts.count, 1);
    table.delete_all(&[attempts]).await.unwrap();
    home.remove(table).await;
}

#[tokio::test]
async fn how_a_target_does_is_told_as_far_as_it_can_be_read() {
    let table = &table().await;
    let target = format!("unreadable-{}", new_id::<NodeId>());
    let parts: Vec<Key> = ReplicaCountersRow::keys_of(&target).collect();
    put_row(table, &parts[0], json!({ "pending": 2 })).await;
    put_row(table, &parts[1], json!({ "pending": "many" })).await;
    put_row(table, &SamplesRow::key_of(&target), json!({ "samples": 1 })).await;
    put_row(table, &CircuitRow::key_of(&target), json!({ "target": 1 })).await;
    let status = table.targets().status(&target, now()).await.unwrap();
    assert_eq!((status.counters.pending, status.skipped), (2, 3));
    // The next sample is written in the place of what cannot be read.
    table.targets().sample(&target, 1, now()).await.unwrap();
    assert_eq!(table.targets().status(&target, now()).await.unwrap().skipped, 2);
    let keys = table.keys(&target_partition(&target)).await.unwrap();
    table.delete_all(&[keys, parts].concat()).await.unwrap();
}
