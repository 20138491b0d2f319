//! Writes that all happen or none.

use super::{Item, get, item, key, n, put};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    Update,
};

/// Puts an item where there is none.
#[must_use]
pub fn create(table: &str, item: Item) -> TransactWriteItem {
    let put = Put::builder().table_name(table).set_item(Some(item));
    let put = put.condition_expression("attribute_not_exists(pk)");
    let put = put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    TransactWriteItem::builder().put(put.build().unwrap()).build()
}

/// Adds to a counter.
#[must_use]
pub fn add(table: &str, pk: &str, number: i64) -> TransactWriteItem {
    let update = Update::builder()
        .table_name(table)
        .set_key(Some(key(pk, "counter")));
    let update = update.update_expression("ADD pending :number");
    let update = update.expression_attribute_values(":number", n(number));
    TransactWriteItem::builder()
        .update(update.build().unwrap())
        .build()
}

fn check(table: &str, pk: &str, condition: &str) -> TransactWriteItem {
    let check = ConditionCheck::builder()
        .table_name(table)
        .set_key(Some(key(pk, "a")));
    let check = check.condition_expression(condition).build();
    TransactWriteItem::builder()
        .condition_check(check.unwrap())
        .build()
}

fn delete(table: &str, pk: &str) -> TransactWriteItem {
    let delete = Delete::builder().table_name(table).set_key(Some(key(pk, "a")));
    let delete = delete.condition_expression("attribute_exists(pk)").build();
    TransactWriteItem::builder().delete(delete.unwrap()).build()
}

/// Writes all or nothing. Tokens are good for an account, so they name the table.
///
/// # Errors
/// Nothing was written.
pub async fn transact(
    client: &Client,
    table: &str,
    token: &str,
    writes: Vec<TransactWriteItem>,
) -> Result<(), TransactWriteItemsError> {
    let transaction = client.transact_write_items();
    let transaction = transaction.client_request_token(format!("{token}-{table}"));
    let done = transaction.set_transact_items(Some(writes)).send().await;
    done.map(|_| ()).map_err(SdkError::into_service_error)
}

fn reasons(error: TransactWriteItemsError) -> Vec<CancellationReason> {
    match error {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            cancelled.cancellation_reasons.unwrap()
        }
        other => panic!("{other:?}"),
    }
}

pub(super) async fn all_is_written_or_nothing(client: &Client, table: &str) {
    put(client, table, key("t1", "a")).await;
    let writes = || {
        vec![
            create(table, key("t2", "a")),
            add(table, "t3", 2),
            delete(table, "t1"),
            check(table, "t4", "attribute_not_exists(pk)"),
        ]
    };
    transact(client, table, "1", writes()).await.unwrap();
    assert!(get(client, table, "t1", "a").await.is_none());
    assert!(get(client, table, "t2", "a").await.is_some());
    assert_eq!(
        get(client, table, "t3", "counter").await.unwrap()["pending"],
        n(2)
    );
    assert!(get(client, table, "t4", "a").await.is_none());
    // The last one fails: nothing of the others is there.
    let delete_t2 = Delete::builder()
        .table_name(table)
        .set_key(Some(key("t2", "a")))
        .build();
    let mut others = vec![TransactWriteItem::builder().delete(delete_t2.unwrap()).build()];
    others.extend([add(table, "t3", 2), check(table, "t4", "attribute_exists(pk)")]);
    assert_eq!(
        reasons(transact(client, table, "2", others).await.unwrap_err()).len(),
        3
    );
    assert!(get(client, table, "t2", "a").await.is_some());
    assert_eq!(
        get(client, table, "t3", "counter").await.unwrap()["pending"],
        n(2)
    );
}

pub(super) async fn reasons_are_in_the_order_of_the_writes(client: &Client, table: &str) {
    let old = item("r2", "a", [("version", n(1))]);
    put(client, table, old.clone()).await;
    let writes = vec![
        add(table, "r1", 1),
        create(table, key("r2", "a")),
        create(table, key("r3", "a")),
        delete(table, "r4"),
    ];
    let reasons = reasons(transact(client, table, "1", writes).await.unwrap_err());
    let codes: Vec<&str> = reasons.iter().map(|reason| reason.code().unwrap()).collect();
    assert_eq!(
        codes,
        ["None", "ConditionalCheckFailed", "None", "ConditionalCheckFailed"]
    );
    assert_eq!(reasons[1].item, Some(old), "as was asked for");
    assert_eq!(reasons[3].item, None);
    assert_eq!(reasons[0].message(), None);
    assert_eq!(reasons[1].message(), Some("The conditional request failed"));
}

pub(super) async fn a_token_is_good_once(client: &Client, table: &str) {
    transact(client, table, "once", vec![add(table, "once", 1)])
        .await
        .unwrap();
    transact(client, table, "once", vec![add(table, "once", 1)])
        .await
        .unwrap();
    assert_eq!(
        get(client, table, "once", "counter").await.unwrap()["pending"],
        n(1)
    );
    let other = transact(client, table, "once", vec![add(table, "once", 2)])
        .await
        .unwrap_err();
    assert!(other.is_idempotent_parameter_mismatch_exception(), "{other:?}");
    transact(client, table, "twice", vec![add(table, "once", 1)])
        .await
        .unwrap();
    assert_eq!(
        get(client, table, "once", "counter").await.unwrap()["pending"],
        n(2)
    );
    // One that was cancelled was not done.
    let held = || {
        vec![
            check(table, "held", "attribute_exists(pk)"),
            add(table, "once", 1),
        ]
    };
    transact(client, table, "held", held()).await.unwrap_err();
    put(client, table, key("held", "a")).await;
    transact(client, table, "held", held()).await.unwrap();
    assert_eq!(
        get(client, table, "once", "counter").await.unwrap()["pending"],
        n(3)
    );
    let long = transact(client, table, &"x".repeat(37), vec![add(table, "once", 1)])
        .await
        .unwrap_err();
    assert_eq!(long.code(), Some("ValidationException"));
}

pub(super) async fn an_item_is_in_a_transaction_once(client: &Client, table: &str) {
    // A clone has its attributes in the same order: LocalStack compares keys as texts, and takes them in another one.
    let write = add(table, "same", 1);
    let writes = vec![write.clone(), write];
    let refused = transact(client, table, "1", writes).await.unwrap_err();
    assert_eq!(refused.code(), Some("ValidationException"));
}

pub(super) async fn a_transaction_has_up_to_a_hundred_writes(client: &Client, table: &str) {
    let writes = |count| {
        (0..count)
            .map(|number| add(table, &format!("w{number}"), 1))
            .collect()
    };
    transact(client, table, "1", writes(100)).await.unwrap();
    let refused = transact(client, table, "2", writes(101)).await.unwrap_err();
    assert_eq!(refused.code(), Some("ValidationException"));
    assert_eq!(
        get(client, table, "w99", "counter").await.unwrap()["pending"],
        n(1)
    );
    assert_eq!(
        get(client, table, "w0", "counter").await.unwrap()["pending"],
        n(1)
    );
}
