//! DynamoDB. A scenario knows a client and an empty table with the keys and indexes of Longshore's.

mod reading;
pub mod transactions;
mod writing;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;

type Item = HashMap<String, AttributeValue>;

/// Where a scenario happens.
pub struct Place {
    /// Repeats nothing that fails.
    pub client: Client,
    /// An empty table.
    pub table: String,
}

scenarios! { place: Place;
    reading(&place.client, &place.table):
        a_query_reads_pages_both_ways a_query_takes_a_range_or_a_prefix an_index_has_only_items_with_its_keys
        an_index_is_in_the_order_of_numbers a_count_has_no_items a_projection_has_what_it_names
        a_batch_reads_up_to_a_hundred a_scan_reads_everything_in_pages a_table_that_is_not_there_is_refused;
    writing(&place.client, &place.table):
        a_condition_that_fails_shows_the_old_item updates_set_add_and_remove numbers_are_exact numbers_are_in_their_shortest_form
        keys_are_never_empty items_have_a_largest_size a_batch_writes_up_to_twenty_five
        reserved_words_are_refused what_an_update_returns;
    transactions(&place.client, &place.table):
        all_is_written_or_nothing reasons_are_in_the_order_of_the_writes a_token_is_good_once
        an_item_is_in_a_transaction_once a_transaction_has_up_to_a_hundred_writes;
}

/// A text.
#[must_use]
pub fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// A number.
#[must_use]
pub fn n(number: impl ToString + Copy) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// The key of an item.
#[must_use]
pub fn key(pk: &str, sk: &str) -> Item {
    item(pk, sk, [])
}

/// An item.
#[must_use]
pub fn item<const N: usize>(pk: &str, sk: &str, attributes: [(&str, AttributeValue); N]) -> Item {
    let attributes = attributes.into_iter().chain([("pk", s(pk)), ("sk", s(sk))]);
    attributes.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Puts an item.
pub async fn put(client: &Client, table: &str, item: Item) {
    let put = client.put_item().table_name(table).set_item(Some(item));
    put.send().await.unwrap();
}

/// Reads an item, consistently.
pub async fn get(client: &Client, table: &str, pk: &str, sk: &str) -> Option<Item> {
    let get = client.get_item().table_name(table).set_key(Some(key(pk, sk)));
    get.consistent_read(true).send().await.unwrap().item
}

fn sort_keys(items: &[Item]) -> Vec<&str> {
    items
        .iter()
        .map(|item| item["sk"].as_s().unwrap().as_str())
        .collect()
}

/// The code of what was refused.
#[must_use]
pub fn code<T, E: ProvideErrorMetadata>(result: Result<T, SdkError<E>>) -> String {
    let error = result.err().unwrap();
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    code.unwrap().to_owned()
}
