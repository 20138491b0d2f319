//! What an account has, read by the page: the uploads under way, names with numbers, files with the same content. What it costs
//! does not grow with what there was, or is.

use crate::stack::{new_id, now, table};
use crate::{Item, put};
use domain::content::ContentId;
use domain::id::{AccountId, BlobId, NodeId};
use domain::name::Name;
use domain::placement::{Destination, MAX_DEPTH, NewParent, OnConflict, numbered};
use domain::upload::{Beginning, Lifecycle, State, UploadEvent};
use jiff::SignedDuration;
use serde_json::json;
use service::folder::create::create_folder;
use store::rows::{
    AccountRow, BlobRow, ContentReferenceRow, EntryRow, FileContent, FolderRow, NodeRow, OpenUploadKey,
    UploadRow, account_partition,
};
use store::table::Row;
use store::{Conflict, ErrorKind, StoreError, Table};

const CONTENT: &str = "AzeAIB3q5CLlOsBZwSpKu8CaLA7QUyq8Pjh+4MHg3OQ=-1";

/// An account that nobody else has, without a name.
pub(crate) async fn account(table: &Table) -> AccountId {
    let id: AccountId = new_id();
    let row = json!({
        "id": id, "username": "agreement", "password_hash": "nobody signs in", "quota_bytes": 1000,
        "free_bytes": 1000, "created_at": now(),
    });
    put(table, &[&Item::new(&AccountRow::key_of(&id), row)])
        .await
        .unwrap();
    id
}

pub(crate) async fn remove(table: &Table, account: &AccountId) {
    let keys = table.keys(&account_partition(account)).await.unwrap();
    table.delete_all(&keys).await.unwrap();
}

fn upload(account: &AccountId, parent: Option<&NodeId>) -> UploadRow {
    let expires_at = now() + SignedDuration::from_hours(1);
    let session = Lifecycle::new(Beginning::Sending, expires_at);
    UploadRow {
        id: new_id(),
        account: account.clone(),
        state: session.state,
        name: "a".parse().unwrap(),
        parent: parent.cloned(),
        size: 1,
        on_conflict: OnConflict::Fail,
        content_type: None,
        content_id: None,
        blob: new_id(),
        challenge: None,
        multipart_id: None,
        expires_at,
        due_at: None,
        lease_until: None,
        node: None,
        discard_since: None,
        ended_at: None,
        created_at: now(),
        version: 1,
    }
}

fn place(upload: &UploadRow) -> String {
    let (parent, upload) = (upload.parent.clone(), upload.id.clone());
    OpenUploadKey { parent, upload }.in_index()
}

/// The places of all pages of so many, and how many pages there were.
async fn listed(table: &Table, account: &AccountId, limit: u32) -> (Vec<String>, usize) {
    let (mut places, mut pages, mut after): (Vec<_>, _, Option<OpenUploadKey>) = (Vec::new(), 0, None);
    loop {
        let page = table
            .uploads()
            .page(account, after.as_ref(), limit)
            .await
            .unwrap();
        assert!(page.rows.len() <= limit as usize && page.unreadable.is_empty());
        places.extend(page.rows.iter().map(place));
        pages += 1;
        match page.next {
            Some(next) => after = Some(next.parse().unwrap()),
            None => return (places, pages),
        }
    }
}

#[tokio::test]
async fn only_uploads_under_way_are_listed_page_by_page() {
    let table = &table().await;
    let account = account(table).await;
    let folder: NodeId = new_id();
    let mut uploads = Vec::new();
    for parent in [
        None,
        Some(&folder),
        None,
        Some(&folder),
        None,
        Some(&folder),
        None,
    ] {
        let row = upload(&account, parent);
        table.uploads().create(&row, vec![]).await.unwrap();
        uploads.push(row);
    }
    uploads.sort_by_key(place);
    let all: Vec<_> = uploads.iter().map(place).collect();
    for limit in [1, 2, 7, 100] {
        assert_eq!(listed(table, &account, limit).await.0, all, "{limit}");
    }
    assert_eq!(table.uploads().count_into(&account, &folder).await.unwrap(), 3);
    assert_eq!(table.uploads().count_into(&account, &new_id()).await.unwrap(), 0);

    // One ends between two pages, and it is the one after which the next page begins.
    let first = table.uploads().page(&account, None, 2).await.unwrap();
    let after: OpenUploadKey = first.next.unwrap().parse().unwrap();
    assert_eq!(after.in_index(), all[1]);
    for ended in &uploads[..2] {
        table
            .uploads()
            .transition(ended, UploadEvent::Abort, now(), |_| (), vec![])
            .await
            .unwrap();
    }
    let rest = table.uploads().page(&account, Some(&after), 100).await.unwrap();
    let places: Vec<_> = rest.rows.iter().map(place).collect();
    assert_eq!(places, all[2..]);
    // What ended costs nothing: there is no page of it. That the last page is full is known when there is no next one.
    let (places, pages) = listed(table, &account, 1).await;
    assert_eq!(places, all[2..]);
    assert!((5..=6).contains(&pages), "{pages}");

    // The index may be behind.
    let mut stale = serde_json::to_value(&uploads[2]).unwrap();
    stale["state"] = json!("complete");
    stale["open_account"] = json!(account);
    stale["open_in"] = json!(all[2]);
    put(table, &[&Item::new(&uploads[2].key(), stale)]).await.unwrap();
    assert_eq!(listed(table, &account, 1).await.0, all[3..]);

    // It goes where its file is going.
    let to = Destination {
        parent: NewParent::Root,
        ..Destination::default()
    };
    let lease = UploadEvent::Lease(SignedDuration::from_mins(1));
    let redirect = |next: &mut UploadRow| {
        assert!(next.redirect(&to));
        assert!(!next.redirect(&to));
    };
    let moved = table
        .uploads()
        .transition(uploads.last().unwrap(), lease, now(), redirect, vec![]);
    let moved = moved.await.unwrap();
    assert_eq!((moved.state, &moved.parent), (State::Finalizing, &None));
    let (left, _) = listed(table, &account, 100).await;
    assert!(left.contains(&place(&moved)) && left.len() == 4, "{left:?}");
    assert_eq!(table.uploads().count_into(&account, &folder).await.unwrap(), 2);
    remove(table, &account).await;
}

pub(crate) fn folder(account: &AccountId, name: &str) -> NodeRow {
    let place = (name.parse().unwrap(), None);
    NodeRow::new(new_id(), account.clone(), place, None, now())
}

#[tokio::test]
async fn a_name_with_more_numbers_than_are_read_gets_another_one() {
    let table = &table().await;
    let account = account(table).await;
    let base: Name = "a.txt".parse().unwrap();
    // All of the first thousand are taken, and some more.
    let names = [base.clone()]
        .into_iter()
        .chain((1..=1050).map(|number| numbered(&base, number)));
    let entries: Vec<Item> = names
        .map(|name| {
            let attributes = json!({
                "account": account, "name": name, "node": new_id::<NodeId>(), "version": 1,
                "created_at": now(), "updated_at": now(),
            });
            Item::new(&EntryRow::key_of(&account, None, &name), attributes)
        })
        .collect();
    let mut first = folder(&account, "a.txt");
    first.id = entries[0].0["node"].as_str().unwrap().parse().unwrap();
    let first = Item::new(&first.key(), serde_json::to_value(&first).unwrap());
    put(table, &[&first]).await.unwrap();
    for chunk in entries.chunks(100) {
        put(table, &chunk.iter().collect::<Vec<_>>()).await.unwrap();
    }
    let mut made = std::collections::BTreeSet::new();
    for _ in 0..5 {
        let folder = folder(&account, "a.txt");
        let made_now = create_folder(table, folder, OnConflict::Rename, |_| Ok(vec![]))
            .await
            .unwrap();
        made.insert(made_now.name.to_string());
    }
    assert_eq!(made.len(), 5, "{made:?}");
    assert!(
        made.iter()
            .all(|name| name.starts_with("a (") && name.ends_with(").txt")),
        "{made:?}"
    );
    remove(table, &account).await;
}

#[tokio::test]
async fn of_many_files_with_a_lost_content_some_are_looked_at() {
    let table = &table().await;
    let account = account(table).await;
    let content: ContentId = CONTENT.parse().unwrap();
    let blob = |lost: bool| {
        let id: BlobId = new_id();
        let mut row = json!({
            "id": id, "content_id": content, "size": 29, "references": 1, "reclaiming": false, "created_at": now(),
        });
        if lost {
            row["lost_since"] = json!(now());
        }
        (id.clone(), Item::new(&BlobRow::key_of(&id), row))
    };
    let ((lost, lost_row), (good, good_row)) = (blob(true), blob(false));
    put(table, &[&lost_row, &good_row]).await.unwrap();
    let content_reference = |number: u32, blob: &BlobId| {
        let node: NodeId = format!("n{number:04}").parse().unwrap();
        let file = FileContent::new(29, None, content, blob.clone());
        let row = ContentReferenceRow::of(&account, &node, &file);
        Item::new(&row.key(), json!(row))
    };
    let content_references: Vec<Item> = (0..150).map(|number| content_reference(number, &lost)).collect();
    for chunk in content_references.chunks(75) {
        put(table, &chunk.iter().collect::<Vec<_>>()).await.unwrap();
    }
    let own_blob = async || {
        let blob = table.blobs().of_account(&account, &content).await.unwrap();
        blob.map(|blob| blob.id)
    };
    assert_eq!(own_blob().await, None);
    for (number, found) in [(120, None), (60, Some(&good)), (0, Some(&good))] {
        put(table, &[&content_reference(number, &good)]).await.unwrap();
        assert_eq!(own_blob().await.as_ref(), found, "{number}");
    }
    table
        .delete_all(&[BlobRow::key_of(&lost), BlobRow::key_of(&good)])
        .await
        .unwrap();
    remove(table, &account).await;
}

/// A chain of folders: each is in the one before.
async fn chain(table: &Table, account: &AccountId, length: u64) -> Vec<NodeId> {
    let ids: Vec<NodeId> = (0..length).map(|_| new_id()).collect();
    let above = std::iter::once(None).chain(ids.iter().cloned().map(Some));
    let rows: Vec<Item> = ids
        .iter()
        .zip(above)
        .map(|(id, parent)| {
            let (account, id) = (account.clone(), id.clone());
            let row = FolderRow {
                account,
                id,
                parent,
                trashed: false,
            };
            Item::new(&row.key(), serde_json::to_value(&row).unwrap())
        })
        .collect();
    put(table, &rows.iter().collect::<Vec<_>>()).await.unwrap();
    ids
}

pub(crate) fn conflict<T>(result: Result<T, StoreError>) -> Result<T, Conflict> {
    result.map_err(|error| match error.kind {
        ErrorKind::Conflict(conflict) => conflict,
        _ => panic!("{error}"),
    })
}

#[tokio::test]
async fn folders_are_as_deep_as_they_may_be_and_no_deeper() {
    let table = &table().await;
    let account = account(table).await;
    let deepest = usize::try_from(MAX_DEPTH).unwrap();
    let (long, short) = (
        chain(table, &account, MAX_DEPTH).await,
        chain(table, &account, 2).await,
    );
    let at = |id: &NodeId, parent: Option<&NodeId>| NodeRow {
        id: id.clone(),
        parent: parent.cloned(),
        ..folder(&account, "f")
    };
    for (parent, result) in [
        (None, Ok(())),
        (Some(&new_id()), Err(Conflict::ParentGone)),
        (Some(&long[0]), Ok(())),
        (Some(&long[deepest - 2]), Ok(())),
        (Some(&long[deepest - 1]), Err(Conflict::TooDeep)),
    ] {
        let made = table.folders().create(&at(&new_id(), parent)).await;
        assert_eq!(conflict(made.map(drop)), result, "{parent:?}");
    }
    for (id, parent, result) in [
        (&long[1], Some(&long[1]), Err(Conflict::WithinItself)),
        (&long[1], Some(&long[5]), Err(Conflict::WithinItself)),
        (&long[5], None, Ok(())),
        (&short[0], Some(&long[deepest - 3]), Ok(())),
        (&short[0], Some(&long[deepest - 2]), Err(Conflict::TooDeep)),
        (&short[0], Some(&new_id()), Err(Conflict::ParentGone)),
    ] {
        let moved = table.folders().relocate(&at(id, parent)).await;
        assert_eq!(conflict(moved.map(drop)), result, "{id} to {parent:?}");
    }
    remove(table, &account).await;
}

#[tokio::test]
async fn what_was_read_of_folders_is_still_so_when_one_is_made_or_moved() {
    let table = &table().await;
    let account = account(table).await;
    let some = chain(table, &account, 2).await;
    let top = NodeRow {
        id: some[1].clone(),
        ..folder(&account, "f")
    };
    let (one, other) = (folder(&account, "a"), folder(&account, "b"));
    let write = async |writes| conflict(table.transact(writes).await);
    let create = async |folder: &NodeRow| table.folders().create(folder).await.unwrap();
    let relocate = async || table.folders().relocate(&top).await.unwrap();
    // New ones do not wait for each other, not even the first.
    let (first, second) = (create(&one).await, create(&other).await);
    assert_eq!((write(first).await, write(second).await), (Ok(()), Ok(())));
    // A move waits for all.
    let (moved, made) = (relocate().await, create(&folder(&account, "c")).await);
    assert_eq!(write(made).await, Ok(()));
    assert_eq!(write(moved).await, Err(Conflict::FoldersChanged));
    let (moved, made) = (relocate().await, create(&folder(&account, "d")).await);
    let again = relocate().await;
    assert_eq!(write(moved).await, Ok(()));
    assert_eq!(write(made).await, Err(Conflict::FoldersChanged));
    assert_eq!(write(again).await, Err(Conflict::FoldersChanged));
    remove(table, &account).await;
}
