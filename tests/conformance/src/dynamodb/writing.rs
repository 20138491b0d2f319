use super::{code, get, item, key, n, put, s};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    DeleteRequest, PutRequest, ReturnValue, ReturnValuesOnConditionCheckFailure, WriteRequest,
};

pub(super) async fn a_condition_that_fails_shows_the_old_item(client: &Client, table: &str) {
    let old = item("cond", "a", [("version", n(1))]);
    put(client, table, old.clone()).await;
    let replace = |version| {
        let put = client
            .put_item()
            .table_name(table)
            .condition_expression("version = :version");
        let put = put.set_item(Some(item("cond", "a", [("version", n(version + 1))])));
        put.expression_attribute_values(":version", n(version))
    };
    let refused = replace(2).send().await.unwrap_err().into_service_error();
    assert!(refused.is_conditional_check_failed_exception(), "{refused:?}");
    assert_eq!(refused.message(), Some("The conditional request failed"));
    let shown =
        replace(2).return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let shown = shown.send().await.unwrap_err().into_service_error();
    let aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(shown) = shown
    else {
        panic!("{shown:?}");
    };
    assert_eq!(shown.item, Some(old));
    replace(1).send().await.unwrap();
    assert_eq!(get(client, table, "cond", "a").await.unwrap()["version"], n(2));
    let create = client
        .put_item()
        .table_name(table)
        .condition_expression("attribute_not_exists(pk)");
    let create = |item| create.clone().set_item(Some(item)).send();
    assert_eq!(
        code(create(key("cond", "a")).await),
        "ConditionalCheckFailedException"
    );
    create(key("cond", "b")).await.unwrap();
}

fn change(client: &Client, table: &str, sk: &str, update: &str) -> UpdateItemFluentBuilder {
    let change = client
        .update_item()
        .table_name(table)
        .set_key(Some(key("upd", sk)));
    change.update_expression(update)
}

pub(super) async fn updates_set_add_and_remove(client: &Client, table: &str) {
    // What is not there comes into being.
    let add = change(client, table, "a", "ADD pending :one, #bytes :bytes")
        .expression_attribute_names("#bytes", "bytes");
    let add = |one, bytes| {
        let add = add.clone().expression_attribute_values(":one", n(one));
        add.expression_attribute_values(":bytes", n(bytes)).send()
    };
    add(1, 5).await.unwrap();
    add(-2, 5).await.unwrap();
    let counters = [("pending", n(-1)), ("bytes", n(10))];
    assert_eq!(
        get(client, table, "upd", "a").await,
        Some(item("upd", "a", counters))
    );
    let set = "SET spent = if_not_exists(spent, :none) + :cost, holder = :text REMOVE pending";
    let set = change(client, table, "a", set)
        .expression_attribute_values(":none", n(0))
        .expression_attribute_values(":cost", n(3))
        .expression_attribute_values(":text", s("x"));
    set.clone().send().await.unwrap();
    set.condition_expression("spent <= :cost").send().await.unwrap();
    let now = [("spent", n(6)), ("holder", s("x")), ("bytes", n(10))];
    assert_eq!(get(client, table, "upd", "a").await, Some(item("upd", "a", now)));
    let missing = change(client, table, "a", "SET entries = entries - :one");
    let missing = missing.expression_attribute_values(":one", n(1)).send().await;
    assert_eq!(
        code(missing),
        "ValidationException",
        "there is nothing to subtract from"
    );
    let absent =
        change(client, table, "b", "SET entries = :one").condition_expression("attribute_exists(pk)");
    let absent = absent.expression_attribute_values(":one", n(1)).send().await;
    assert_eq!(code(absent), "ConditionalCheckFailedException");
    assert_eq!(get(client, table, "upd", "b").await, None);
}

pub(super) async fn numbers_are_exact(client: &Client, table: &str) {
    let most = u64::MAX;
    put(
        client,
        table,
        item("num", "a", [("bytes", n(most)), ("version", n("7.5"))]),
    )
    .await;
    let found = get(client, table, "num", "a").await.unwrap();
    assert_eq!((&found["bytes"], &found["version"]), (&n(most), &n("7.5")));
    let add = client
        .update_item()
        .table_name(table)
        .set_key(Some(key("num", "a")));
    let add = add
        .update_expression("SET bytes = bytes + :one")
        .expression_attribute_values(":one", n(1));
    let most = u128::from(most) + 1;
    add.send().await.unwrap();
    assert_eq!(get(client, table, "num", "a").await.unwrap()["bytes"], n(most));
    // As a number, and not as a text.
    let compared = client
        .put_item()
        .table_name(table)
        .set_item(Some(key("num", "a")));
    let compared = compared
        .condition_expression("version < :ten")
        .expression_attribute_values(":ten", n(10));
    compared.send().await.unwrap();
    let wrong = client
        .put_item()
        .table_name(table)
        .set_item(Some(item("num", "a", [("x", n("a"))])));
    assert_eq!(code(wrong.send().await), "ValidationException");
}

pub(super) async fn numbers_are_in_their_shortest_form(client: &Client, table: &str) {
    put(client, table, item("num", "b", [("version", n("007.50"))])).await;
    let found = get(client, table, "num", "b").await.unwrap();
    assert_eq!(found["version"], n("7.5"));
}

pub(super) async fn keys_are_never_empty(client: &Client, table: &str) {
    let try_put = async |item| {
        code(
            client
                .put_item()
                .table_name(table)
                .set_item(Some(item))
                .send()
                .await,
        )
    };
    assert_eq!(try_put(key("", "a")).await, "ValidationException");
    assert_eq!(try_put(key("a", "")).await, "ValidationException");
    let mut of_other_type = key("a", "a");
    of_other_type.insert("pk".to_owned(), n(1));
    assert_eq!(try_put(of_other_type).await, "ValidationException");
    let empty_in_index = item("a", "a", [("open_account", s("")), ("open_in", s("x"))]);
    assert_eq!(try_put(empty_in_index).await, "ValidationException");
    let type_in_index = item("a", "a", [("due_at", s("soon"))]);
    assert_eq!(try_put(type_in_index).await, "ValidationException");
    let read = client
        .get_item()
        .table_name(table)
        .set_key(Some(key("a", "")))
        .send()
        .await;
    assert_eq!(code(read), "ValidationException");
    put(client, table, item("a", "a", [("value", s(""))])).await;
    assert_eq!(
        get(client, table, "a", "a").await.unwrap()["value"],
        s(""),
        "others may be"
    );
    let long = |length| key("a", &"x".repeat(length));
    put(client, table, long(1024)).await;
    assert_eq!(try_put(long(1025)).await, "ValidationException");
}

pub(super) async fn items_have_a_largest_size(client: &Client, table: &str) {
    // Names count, too: "pk" "size", "sk" "a", "value".
    let of = |bytes: usize| item("size", "a", [("value", s(&"x".repeat(bytes - 14)))]);
    put(client, table, of(400 * 1024)).await;
    let too_large = client
        .put_item()
        .table_name(table)
        .set_item(Some(of(400 * 1024 + 1)));
    assert_eq!(code(too_large.send().await), "ValidationException");
    let grown = client
        .update_item()
        .table_name(table)
        .set_key(Some(key("size", "a")));
    let grown = grown
        .update_expression("SET a = :b")
        .expression_attribute_values(":b", s("c"));
    assert_eq!(code(grown.send().await), "ValidationException");
}

pub(super) async fn a_batch_writes_up_to_twenty_five(client: &Client, table: &str) {
    let made = |number: i32| {
        let put = PutRequest::builder()
            .set_item(Some(key("many", &number.to_string())))
            .build();
        WriteRequest::builder().put_request(put.unwrap()).build()
    };
    let gone = |number: i32| {
        let delete = DeleteRequest::builder()
            .set_key(Some(key("many", &number.to_string())))
            .build();
        WriteRequest::builder().delete_request(delete.unwrap()).build()
    };
    let write = async |writes: Vec<WriteRequest>| {
        let batch = client.batch_write_item().request_items(table, writes);
        batch.send().await
    };
    let done = write((0..25).map(made).collect()).await.unwrap();
    assert!(done.unprocessed_items.is_none_or(|left| left.is_empty()));
    assert_eq!(
        code(write((0..26).map(made).collect()).await),
        "ValidationException"
    );
    assert_eq!(code(write(vec![made(1), gone(1)]).await), "ValidationException");
    assert!(get(client, table, "many", "24").await.is_some());
    write((0..25).map(gone).collect()).await.unwrap();
    assert!(get(client, table, "many", "24").await.is_none());
}

pub(super) async fn reserved_words_are_refused(client: &Client, table: &str) {
    let try_condition = async |condition: &str| {
        let put = client
            .put_item()
            .table_name(table)
            .set_item(Some(key("words", "a")));
        put.condition_expression(condition).send().await
    };
    for word in ["state", "ttl", "count", "role", "until", "file"] {
        let told = try_condition(&format!("attribute_not_exists({word})")).await;
        assert_eq!(code(told), "ValidationException", "{word}");
    }
    assert!(try_condition("attribute_not_exists(version)").await.is_ok());
    let named = client
        .put_item()
        .table_name(table)
        .set_item(Some(key("words", "b")));
    let named = named.condition_expression("attribute_not_exists(#state)");
    named
        .clone()
        .expression_attribute_names("#state", "state")
        .send()
        .await
        .unwrap();
    assert_eq!(
        code(named.clone().send().await),
        "ValidationException",
        "not said what it stands for"
    );
    let unused = named.expression_attribute_names("#state", "state");
    let unused = unused.expression_attribute_names("#role", "role").send().await;
    assert_eq!(code(unused), "ValidationException", "stands for nothing");
}

pub(super) async fn what_an_update_returns(client: &Client, table: &str) {
    put(client, table, item("ret", "a", [("version", n(1))])).await;
    let change = client
        .update_item()
        .table_name(table)
        .set_key(Some(key("ret", "a")));
    let change = change.update_expression("SET version = version + :one");
    let change = change.expression_attribute_values(":one", n(1));
    let nothing = change.clone().send().await.unwrap().attributes;
    assert!(nothing.is_none_or(|attributes| attributes.is_empty()));
    let new = change.return_values(ReturnValue::AllNew).send().await.unwrap();
    assert_eq!(new.attributes, Some(item("ret", "a", [("version", n(3))])));
}
