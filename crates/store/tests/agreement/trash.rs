//! What is in the trash in bytes: the account's number is the sum of what the items say, whoever counts, restores or removes first.

use crate::stack::{new_id, now, table};
use crate::tree::{account, conflict, folder, remove};
use domain::content::ContentId;
use domain::id::AccountId;
use domain::placement::OnConflict;
use jiff::{SignedDuration, Timestamp};
use service::folder::create::create_folder;
use store::rows::{CountedFolder, Counting, FileContent, NodeRow, TrashRow, account_partition};
use store::table::Page;
use store::{Conflict, StoreError, Table, tree};

/// How many bytes the file has, and the folders are said to have.
const FILE: u64 = 7;
const FOLDER: u64 = 100;

fn expires_at() -> Timestamp {
    now() + SignedDuration::from_hours(1)
}

/// A folder at the top that is in the trash, and its row there.
async fn trashed(table: &Table, account: &AccountId, name: &str) -> (NodeRow, TrashRow) {
    let made = folder(account, name);
    create_folder(table, made.clone(), OnConflict::Fail, |_| Ok(vec![]))
        .await
        .unwrap();
    in_trash(table, &made).await
}

async fn in_trash(table: &Table, node: &NodeRow) -> (NodeRow, TrashRow) {
    let tree = table.tree();
    tree.trash(node, now(), expires_at(), false).await.unwrap();
    let node = tree.get(&node.account, &node.id).await.unwrap().unwrap();
    let row = row(table, &node).await.unwrap();
    (node, row)
}

async fn row(table: &Table, node: &NodeRow) -> Option<TrashRow> {
    table.get(&TrashRow::key_for(node).unwrap()).await.unwrap()
}

/// Restores a folder that had so many bytes when it was read.
async fn restore(table: &Table, node: &NodeRow, bytes: Option<u64>) -> Result<(), StoreError> {
    let to = NodeRow {
        version: node.version + 1,
        trashed_at: None,
        ..node.clone()
    };
    let writes = tree::relocate(node, &to, None, bytes)?;
    table.transact(writes.of(&node.account)?).await
}

/// The account's number is so much, and what the items say.
async fn is(table: &Table, account: &AccountId, bytes: u64) {
    let counted = table.accounts().get(account).await.unwrap().unwrap();
    let pk = account_partition(account);
    let items: Page<TrashRow> = table.page(&pk, TrashRow::PREFIX, None, 100).await.unwrap();
    let sum: u64 = items.rows.iter().filter_map(|row| row.bytes).sum();
    assert_eq!((counted.trash_bytes, sum), (i64::try_from(bytes).unwrap(), bytes));
    // Nothing has left the account.
    assert_eq!(counted.free_bytes, 1000);
}

#[tokio::test]
async fn a_file_has_its_size_in_the_trash() {
    let table = &table().await;
    let account = account(table).await;
    let content: ContentId = "AzeAIB3q5CLlOsBZwSpKu8CaLA7QUyq8Pjh+4MHg3OQ=-1".parse().unwrap();
    let file = FileContent::new(FILE, None, content, new_id());
    let file = NodeRow {
        file: Some(file),
        ..folder(&account, "a")
    };
    table.transact(tree::insert(&file).unwrap()).await.unwrap();
    let (there, row) = in_trash(table, &file).await;
    assert_eq!((row.bytes, row.files), (Some(FILE), Some(1)));
    is(table, &account, FILE).await;
    // It is not counted once more.
    assert!(!table.trash().set_counted(&row, FOLDER, 1).await.unwrap());
    restore(table, &there, Some(FILE)).await.unwrap();
    is(table, &account, 0).await;
    remove(table, &account).await;
}

#[tokio::test]
async fn a_folder_is_counted_once_and_leaves_with_what_was_counted() {
    let table = &table().await;
    let (account, trash) = (account(table).await, table.trash());
    let (first, uncounted) = trashed(table, &account, "f").await;
    is(table, &account, 0).await;
    let counting = Counting {
        bytes: 1,
        files: 2,
        folders: vec![CountedFolder {
            folder: first.id.clone(),
            after: Some("x".parse().unwrap()),
        }],
    };
    trash.set_counting(&uncounted, &counting).await.unwrap();
    assert_eq!(row(table, &first).await.unwrap().counting, Some(counting.clone()));
    for is_first in [true, false] {
        let counted = trash.set_counted(&uncounted, FOLDER, 3).await.unwrap();
        assert_eq!(counted, is_first);
        is(table, &account, FOLDER).await;
    }
    trash.set_counting(&uncounted, &counting).await.unwrap();
    let expected = TrashRow {
        bytes: Some(FOLDER),
        files: Some(3),
        ..uncounted.clone()
    };
    assert_eq!(row(table, &first).await, Some(expected));

    // Who restores it has to know.
    for wrong in [None, Some(FOLDER - 1)] {
        assert_eq!(
            conflict(restore(table, &first, wrong).await),
            Err(Conflict::NodeChanged)
        );
    }
    restore(table, &first, Some(FOLDER)).await.unwrap();
    is(table, &account, 0).await;
    // It came back: nothing is written about it in the trash.
    assert!(!trash.set_counted(&uncounted, FOLDER, 3).await.unwrap());
    assert!(!trash.begin_removal(&uncounted).await.unwrap());
    assert_eq!(row(table, &first).await, None);

    // Removed at once when it is empty, or, when it was counted meanwhile, all the same.
    let (second, uncounted) = trashed(table, &account, "g").await;
    assert_eq!(
        conflict(restore(table, &second, Some(FOLDER)).await),
        Err(Conflict::NodeChanged)
    );
    assert!(trash.set_counted(&uncounted, FOLDER, 3).await.unwrap());
    table.tree().delete(&second, now()).await.unwrap();
    is(table, &account, 0).await;
    remove(table, &account).await;
}

#[tokio::test]
async fn a_folder_that_is_being_removed_has_nothing_in_the_trash() {
    let table = &table().await;
    let (account, trash) = (account(table).await, table.trash());
    let (there, uncounted) = trashed(table, &account, "f").await;
    assert!(trash.set_counted(&uncounted, FOLDER, 3).await.unwrap());
    is(table, &account, FOLDER).await;
    // Twice, and with what was read before it was counted.
    for _ in 0..2 {
        assert!(trash.begin_removal(&uncounted).await.unwrap());
        is(table, &account, 0).await;
    }
    let removed = row(table, &there).await.unwrap();
    assert_eq!(
        (removed.purging, removed.bytes, removed.files),
        (true, None, None)
    );
    assert!(!trash.set_counted(&uncounted, FOLDER, 3).await.unwrap());
    assert_eq!(
        conflict(restore(table, &there, None).await),
        Err(Conflict::NodeChanged)
    );
    table.tree().delete(&there, now()).await.unwrap();
    is(table, &account, 0).await;
    remove(table, &account).await;
}
