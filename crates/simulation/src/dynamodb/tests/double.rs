//! What the simulation has besides: virtual time, deletion of what has expired, what calls cost, and the store on top.

use super::*;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnConsumedCapacity};
use conformance::dynamodb::transactions::{add, create, transact};
use conformance::dynamodb::{code, get, item, key, n, put, s};
use host::{Clock, Rng};
use jiff::SignedDuration;
use std::collections::BTreeMap;
use store::table::{Class, Key};
use store::{Environment, ErrorKind, Table};

fn usage(double: &Double<DynamoDb>) -> Usage {
    double.lock().0.last_usage().unwrap().clone()
}

fn costs(by_index: &[(&str, f64)]) -> BTreeMap<String, f64> {
    by_index
        .iter()
        .map(|(name, units)| ((*name).to_owned(), *units))
        .collect()
}

#[tokio::test]
async fn other_operations_are_refused_by_name() {
    let (double, client) = double();
    let error = client
        .list_tables()
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert_eq!(error.code(), Some("NotImplemented"));
    assert!(error.message().unwrap().contains("ListTables"));
    assert_eq!(double.lock().0.last_usage(), None);
}

#[tokio::test]
async fn what_has_expired_is_deleted_when_asked_for() {
    let (double, client) = double();
    let second = start().as_second();
    let expiring = |sk, at: i64| item("e", sk, [("ttl", n(at)), ("due_shard", s("1")), ("due_at", n(1))]);
    put(&client, TABLE, expiring("a", second + 9)).await;
    put(&client, TABLE, expiring("b", second + 10)).await;
    put(&client, TABLE, item("e", "c", [("ttl", s("0"))])).await;
    double.wait(10).await;
    assert!(get(&client, TABLE, "e", "a").await.is_some(), "not by itself");
    {
        let (database, now) = &mut *double.lock();
        assert_eq!(database.expire(*now).unwrap(), 1);
        assert_eq!(database.expire(*now).unwrap(), 0);
    }
    assert!(get(&client, TABLE, "e", "a").await.is_none());
    assert!(
        get(&client, TABLE, "e", "b").await.is_some(),
        "not before its second is over"
    );
    let due = client.query().table_name(TABLE).index_name("due");
    let due = due
        .key_condition_expression("due_shard = :one")
        .expression_attribute_values(":one", s("1"));
    assert_eq!(due.send().await.unwrap().count, 1, "it is gone from the index");
}

#[tokio::test]
async fn a_token_is_forgotten_after_ten_minutes_of_virtual_time() {
    let (double, client) = double();
    for (wait, expected) in [(0, 1), (600, 1), (1, 2)] {
        double.wait(wait).await;
        transact(&client, TABLE, "t", vec![add(TABLE, "t", 1)])
            .await
            .unwrap();
        let counter = get(&client, TABLE, "t", "counter").await.unwrap();
        assert_eq!(counter["pending"], n(expected), "after {wait} s more");
    }
}

#[tokio::test]
async fn reads_are_counted_by_table_and_index() {
    let (double, client) = double();
    let large = [
        ("value", s(&"x".repeat(4096))),
        ("due_shard", s("1")),
        ("due_at", n(1)),
    ];
    put(&client, TABLE, item("u", "a", large)).await;
    get(&client, TABLE, "u", "a").await;
    let read = usage(&double);
    let expected = Usage {
        operation: "GetItem".to_owned(),
        read_units: 2.0,
        write_units: 0.0,
        by_index: costs(&[(TABLE, 2.0)]),
        partitions: vec!["u".to_owned()],
    };
    assert_eq!(read, expected);
    let due = client.query().table_name(TABLE).index_name("due");
    let due = due.key_condition_expression("due_shard = :shard AND due_at <= :now");
    let due = due
        .expression_attribute_values(":shard", s("1"))
        .expression_attribute_values(":now", n(5));
    assert_eq!(due.send().await.unwrap().count, 1);
    let read = usage(&double);
    assert_eq!((read.read_units, read.by_index), (0.5, costs(&[("due", 0.5)])));
    assert_eq!(read.partitions, ["due/1"]);
    let named = client
        .query()
        .table_name(TABLE)
        .key_condition_expression("#pk = :pk AND begins_with(sk, :a)");
    let named = named
        .expression_attribute_names("#pk", "pk")
        .expression_attribute_values(":a", s("a"));
    named
        .expression_attribute_values(":pk", s("u"))
        .consistent_read(true)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (usage(&double).read_units, usage(&double).partitions),
        (2.0, vec!["u".to_owned()])
    );
    let wanted = KeysAndAttributes::builder()
        .keys(key("u", "a"))
        .keys(key("v", "a"))
        .build()
        .unwrap();
    client
        .batch_get_item()
        .request_items(TABLE, wanted)
        .send()
        .await
        .unwrap();
    let read = usage(&double);
    assert_eq!(
        (read.read_units, read.partitions),
        (1.5, vec!["u".to_owned(), "v".to_owned()])
    );
    client.scan().table_name(TABLE).send().await.unwrap();
    assert_eq!(
        (usage(&double).read_units, usage(&double).partitions),
        (1.0, vec![])
    );
}

#[tokio::test]
async fn writes_are_counted_by_table_and_index() {
    let (double, client) = double();
    let due = |at: i64| item("u", "a", [("due_shard", s("1")), ("due_at", n(at))]);
    put(&client, TABLE, due(1)).await;
    let written = usage(&double);
    assert_eq!((written.read_units, written.write_units), (0.0, 2.0));
    assert_eq!(written.by_index, costs(&[(TABLE, 1.0), ("due", 1.0)]));
    put(&client, TABLE, due(2)).await;
    assert_eq!(
        usage(&double).by_index,
        costs(&[(TABLE, 1.0), ("due", 2.0)]),
        "out of its old place, into the new one"
    );
    let counted = || vec![add(TABLE, "c", 1), create(TABLE, key("n", "a"))];
    transact(&client, TABLE, "t", counted()).await.unwrap();
    let written = usage(&double);
    assert_eq!(
        (written.write_units, written.partitions),
        (4.0, vec!["c".to_owned(), "n".to_owned()])
    );
    transact(&client, TABLE, "t", counted()).await.unwrap();
    let again = usage(&double);
    assert_eq!(
        (again.read_units, again.write_units),
        (4.0, 0.0),
        "what was done before is only read"
    );
}

#[tokio::test]
async fn what_is_refused_for_its_condition_costs_too() {
    let (double, client) = double();
    put(&client, TABLE, item("u", "a", [("value", s(&"x".repeat(2000)))])).await;
    let create_only = client.put_item().table_name(TABLE).set_item(Some(key("u", "a")));
    let refused = create_only
        .condition_expression("attribute_not_exists(pk)")
        .send()
        .await;
    assert_eq!(code(refused), "ConditionalCheckFailedException");
    assert_eq!(usage(&double).by_index, costs(&[(TABLE, 2.0)]));
    transact(
        &client,
        TABLE,
        "t",
        vec![create(TABLE, key("u", "a")), add(TABLE, "c", 1)],
    )
    .await
    .unwrap_err();
    let cancelled = usage(&double);
    assert_eq!((cancelled.read_units, cancelled.write_units), (0.0, 6.0));
    let wrong = client
        .get_item()
        .table_name(TABLE)
        .set_key(Some(key("a", "")))
        .send()
        .await;
    assert_eq!(code(wrong), "ValidationException");
    let invalid = usage(&double);
    assert_eq!((invalid.read_units, invalid.write_units), (0.0, 0.0));
}

#[tokio::test]
async fn the_answer_says_what_it_cost_only_when_asked() {
    let (_, client) = double();
    let read = |wanted| {
        let get = client.get_item().table_name(TABLE).set_key(Some(key("u", "a")));
        get.set_return_consumed_capacity(wanted).send()
    };
    assert_eq!(read(None).await.unwrap().consumed_capacity, None);
    assert_eq!(
        read(Some(ReturnConsumedCapacity::None))
            .await
            .unwrap()
            .consumed_capacity,
        None
    );
    let total = read(Some(ReturnConsumedCapacity::Total))
        .await
        .unwrap()
        .consumed_capacity
        .unwrap();
    assert_eq!((total.capacity_units, total.table), (Some(0.5), None));
    let parts = read(Some(ReturnConsumedCapacity::Indexes))
        .await
        .unwrap()
        .consumed_capacity
        .unwrap();
    assert_eq!(parts.table.unwrap().capacity_units, Some(0.5));
}

#[tokio::test]
async fn the_same_calls_get_the_same_answers() {
    let bodies = || {
        let mut database = DynamoDb::new().unwrap();
        database.create_table(TABLE, start()).unwrap();
        let item = json!({ "pk": { "S": "a" }, "sk": { "S": "b" }, "c": { "N": "1" }, "d": { "S": "e" } });
        let mut ask = |operation: &str, parameters: Value| {
            let request = Request::builder().header("x-amz-target", format!("DynamoDB_20120810.{operation}"));
            let request = request.body(Bytes::from(parameters.to_string())).unwrap();
            database.answer(&request, start()).into_body()
        };
        let put = ask("PutItem", json!({ "TableName": TABLE, "Item": item }));
        let scanned = ask("Scan", json!({ "TableName": TABLE }));
        let create = json!({ "TableName": TABLE, "Item": item, "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD" });
        let cancelled = ask(
            "TransactWriteItems",
            json!({ "TransactItems": [{ "Put": create }] }),
        );
        [put, scanned, cancelled, ask("PutItem", create)]
    };
    let first = bodies();
    assert!(String::from_utf8_lossy(&first[2]).contains("CancellationReasons"));
    for _ in 0..8 {
        assert_eq!(bodies(), first);
    }
}

fn key_of(pk: &str, sk: &str) -> Key {
    Key {
        pk: pk.to_owned(),
        sk: sk.to_owned(),
    }
}

#[tokio::test]
async fn the_store_works_on_it() {
    let (double, client) = double();
    let environment = Environment::new(double.sdk(), Clock::set_to(start()), Rng::seeded(1));
    let table = Table::named(&environment, TABLE.to_owned());
    let early = table.keys("LEASE").await.unwrap_err();
    assert_eq!(early.kind, ErrorKind::OtherFormat);
    table.mark_if_new().await.unwrap();
    let later = start() + SignedDuration::from_secs(60);
    let leases = table.leases();
    assert!(leases.take("sweep", "a", start(), later).await.unwrap());
    assert!(!leases.take("sweep", "b", start(), later).await.unwrap());
    assert!(!leases.keep("sweep", "b", later).await.unwrap());
    leases.free("sweep", "a").await.unwrap();
    assert!(leases.take("sweep", "b", start(), later).await.unwrap());
    // What is due is found, page after page, and postponed.
    for number in 0..250 {
        let due = [("due_shard", s("3")), ("due_at", n(start().as_second() + number))];
        put(&client, TABLE, item(&format!("P#{number:03}"), "UPLOAD", due)).await;
    }
    let (mut keys, mut after) = (Vec::new(), None);
    loop {
        let (more, next) = table.due("3", later, after).await.unwrap();
        keys.extend(more);
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(keys.len(), 61);
    assert_eq!(keys[60], key_of("P#060", "UPLOAD"));
    table
        .postpone(&keys[0], later + SignedDuration::from_secs(1))
        .await
        .unwrap();
    let mut found = Vec::new();
    for shard in Class::Transfers.shards() {
        found.extend(table.due(&shard, later, None).await.unwrap().0);
    }
    assert_eq!((found.len(), found.contains(&keys[0])), (60, false));
    let both = [keys[0].clone(), key_of("P#none", "UPLOAD")];
    assert_eq!(table.existing(both).await.unwrap().len(), 1);
    table.delete_all(&keys).await.unwrap();
    assert!(table.existing(keys).await.unwrap().is_empty());
}
