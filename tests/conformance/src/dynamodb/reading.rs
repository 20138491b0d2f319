use super::{Item, code, item, key, n, put, s, sort_keys};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::{KeysAndAttributes, Select};
use std::collections::BTreeSet;

fn query(
    client: &Client,
    table: &str,
    condition: &str,
    values: &[(&str, AttributeValue)],
) -> QueryFluentBuilder {
    let query = client
        .query()
        .table_name(table)
        .key_condition_expression(condition);
    values.iter().fold(query, |query, (name, value)| {
        query.expression_attribute_values(*name, value.clone())
    })
}

/// All pages of a query.
async fn pages(query: QueryFluentBuilder) -> Vec<Vec<Item>> {
    let (mut pages, mut start) = (Vec::new(), None);
    loop {
        let page = query.clone().set_exclusive_start_key(start).send().await.unwrap();
        pages.push(page.items.unwrap());
        start = page.last_evaluated_key;
        if start.is_none() {
            return pages;
        }
    }
}

pub(super) async fn a_query_reads_pages_both_ways(client: &Client, table: &str) {
    for sk in ["N#a", "N#b", "N#c", "N#d", "N#e", "O#a"] {
        put(client, table, item("pages", sk, [("value", s(sk))])).await;
    }
    put(client, table, key("pages2", "N#x")).await;
    let values = [(":pk", s("pages")), (":prefix", s("N#"))];
    let all = query(client, table, "pk = :pk AND begins_with(sk, :prefix)", &values).limit(2);
    let forwards = pages(all.clone().consistent_read(true)).await;
    assert_eq!(forwards.concat()[0], item("pages", "N#a", [("value", s("N#a"))]));
    let forwards: Vec<_> = forwards.iter().map(|page| sort_keys(page)).collect();
    assert_eq!(forwards, [vec!["N#a", "N#b"], vec!["N#c", "N#d"], vec!["N#e"]]);
    let backwards = pages(all.scan_index_forward(false)).await;
    let backwards: Vec<_> = backwards.iter().map(|page| sort_keys(page)).collect();
    assert_eq!(backwards, [vec!["N#e", "N#d"], vec!["N#c", "N#b"], vec!["N#a"]]);
    // When a page is full there may be more: that there are none is only known with the next one.
    let five = query(client, table, "pk = :pk AND begins_with(sk, :prefix)", &values).limit(5);
    let five = pages(five).await;
    assert_eq!(five.iter().map(Vec::len).collect::<Vec<_>>(), [5, 0]);
}

pub(super) async fn a_query_takes_a_range_or_a_prefix(client: &Client, table: &str) {
    for sk in ["a", "b", "ba", "c", "ü"] {
        put(client, table, key("range", sk)).await;
    }
    let ask = async |condition: &str, values: &[(&str, AttributeValue)]| {
        let values: Vec<_> = values.iter().cloned().chain([(":pk", s("range"))]).collect();
        let found = query(client, table, &format!("pk = :pk{condition}"), &values)
            .send()
            .await;
        let found = found.unwrap().items.unwrap();
        sort_keys(&found).join(" ")
    };
    assert_eq!(ask("", &[]).await, "a b ba c ü");
    let ends = [(":a", s("b")), (":b", s("c"))];
    assert_eq!(ask(" AND sk BETWEEN :a AND :b", &ends).await, "b ba c");
    assert_eq!(ask(" AND begins_with(sk, :a)", &ends[..1]).await, "b ba");
    assert_eq!(ask(" AND sk > :a", &ends[..1]).await, "ba c ü");
    assert_eq!(ask(" AND sk <= :a", &ends[..1]).await, "a b");
    assert_eq!(ask(" AND sk = :a", &ends[..1]).await, "b");
}

pub(super) async fn an_index_has_only_items_with_its_keys(client: &Client, table: &str) {
    let waiting = |shard, since: u64| {
        [
            ("waiting_shard", s(shard)),
            ("waiting_since", n(since)),
            ("value", s("x")),
        ]
    };
    put(client, table, item("i1", "a", waiting("t1", 2))).await;
    put(client, table, item("i2", "a", waiting("t1", 1))).await;
    put(client, table, item("i3", "a", waiting("t2", 0))).await;
    put(client, table, item("i4", "a", [("waiting_since", n(3))])).await;
    put(client, table, item("i5", "a", [("waiting_shard", s("t1"))])).await;
    let ask = || query(client, table, "waiting_shard = :shard", &[(":shard", s("t1"))]).index_name("waiting");
    let found = ask().send().await.unwrap().items.unwrap();
    // Keys only: those of the index and of the table.
    let expected = |pk, since: u64| item(pk, "a", [("waiting_shard", s("t1")), ("waiting_since", n(since))]);
    assert_eq!(found, [expected("i2", 1), expected("i1", 2)]);
    // An item leaves the index with the attributes, and moves in it.
    let update = |pk, update: &str| {
        let change = client.update_item().table_name(table).set_key(Some(key(pk, "a")));
        change.update_expression(update)
    };
    update("i2", "REMOVE waiting_shard, waiting_since")
        .send()
        .await
        .unwrap();
    let moved = update("i1", "SET waiting_since = :now").expression_attribute_values(":now", n(9));
    moved.send().await.unwrap();
    assert_eq!(ask().send().await.unwrap().items.unwrap(), [expected("i1", 9)]);
    let delete = client
        .delete_item()
        .table_name(table)
        .set_key(Some(key("i1", "a")));
    delete.send().await.unwrap();
    assert_eq!(ask().send().await.unwrap().items.unwrap(), []);
    let consistent = ask().consistent_read(true).send().await;
    assert_eq!(code(consistent), "ValidationException");
}

pub(super) async fn an_index_is_in_the_order_of_numbers(client: &Client, table: &str) {
    // Two are due at the same time: pages go on after the right one.
    for (pk, at) in [("o1", 10_i64), ("o2", 9), ("o3", 100), ("o4", 9), ("o5", -1)] {
        put(
            client,
            table,
            item(pk, "a", [("due_shard", s("7")), ("due_at", n(at))]),
        )
        .await;
    }
    let values = [(":shard", s("7")), (":now", n(99))];
    let due = query(client, table, "due_shard = :shard AND due_at <= :now", &values).index_name("due");
    let found = pages(due.limit(1)).await.concat();
    let found: Vec<&str> = found
        .iter()
        .map(|item| item["pk"].as_s().unwrap().as_str())
        .collect();
    assert_eq!((found[0], found[3], found.len()), ("o5", "o1", 4));
    assert_eq!(BTreeSet::from([found[1], found[2]]), BTreeSet::from(["o2", "o4"]));
}

pub(super) async fn a_count_has_no_items(client: &Client, table: &str) {
    for (pk, place) in [("c1", "f1#a"), ("c2", "f1#b"), ("c3", "f2#a")] {
        put(
            client,
            table,
            item(pk, "a", [("open_account", s("acc")), ("open_in", s(place))]),
        )
        .await;
    }
    let values = [(":account", s("acc")), (":prefix", s("f1#"))];
    let condition = "open_account = :account AND begins_with(open_in, :prefix)";
    let count = query(client, table, condition, &values)
        .index_name("open")
        .select(Select::Count);
    let answer = count.clone().send().await.unwrap();
    assert_eq!((answer.count, answer.items), (2, None));
    assert_eq!(count.limit(1).send().await.unwrap().count, 1);
}

pub(super) async fn a_projection_has_what_it_names(client: &Client, table: &str) {
    put(
        client,
        table,
        item("p", "a", [("value", s("x")), ("other", s("y"))]),
    )
    .await;
    let found = query(client, table, "pk = :pk", &[(":pk", s("p"))]);
    let found = found.projection_expression("pk, sk").send().await.unwrap();
    assert_eq!(found.items.unwrap(), [key("p", "a")]);
}

fn wanted(keys: impl Iterator<Item = Item>) -> KeysAndAttributes {
    let wanted = KeysAndAttributes::builder().set_keys(Some(keys.collect()));
    wanted.consistent_read(true).build().unwrap()
}

pub(super) async fn a_batch_reads_up_to_a_hundred(client: &Client, table: &str) {
    for number in 0..3 {
        put(client, table, key("batch", &number.to_string())).await;
    }
    let read = async |wanted| {
        let batch = client.batch_get_item().request_items(table, wanted);
        batch.send().await
    };
    let numbered = |number: i32| key("batch", &number.to_string());
    let found = read(wanted((0..100).map(numbered))).await.unwrap();
    let mut found = found.responses.unwrap().remove(table).unwrap();
    found.sort_by_key(|item| item["sk"].as_s().unwrap().clone());
    assert_eq!(
        sort_keys(&found),
        ["0", "1", "2"],
        "those that are not there are left out"
    );
    assert_eq!(
        code(read(wanted((0..101).map(numbered))).await),
        "ValidationException"
    );
    let twice = read(wanted([1, 2, 1].into_iter().map(numbered))).await;
    assert_eq!(code(twice), "ValidationException");
}

pub(super) async fn a_scan_reads_everything_in_pages(client: &Client, table: &str) {
    for number in 0..5 {
        put(
            client,
            table,
            item("scan", &number.to_string(), [("mark", n(number))]),
        )
        .await;
    }
    let (mut found, mut start) = (Vec::new(), None);
    loop {
        let scan = client
            .scan()
            .table_name(table)
            .filter_expression("mark > :least")
            .limit(2);
        let scan = scan.expression_attribute_values(":least", n(1));
        let page = scan.set_exclusive_start_key(start).send().await.unwrap();
        assert!(page.scanned_count <= 2, "the limit is of what is looked at");
        found.extend(page.items.unwrap());
        start = page.last_evaluated_key;
        if start.is_none() {
            break;
        }
    }
    let found: BTreeSet<&str> = sort_keys(&found).into_iter().collect();
    assert_eq!(found, BTreeSet::from(["2", "3", "4"]));
}

pub(super) async fn a_table_that_is_not_there_is_refused(client: &Client, _: &str) {
    let get = client
        .get_item()
        .table_name("none")
        .set_key(Some(key("a", "a")))
        .send()
        .await;
    assert!(
        get.unwrap_err()
            .into_service_error()
            .is_resource_not_found_exception()
    );
}
