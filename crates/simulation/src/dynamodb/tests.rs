//! The double is put through the scenarios of `conformance`; here is what only the double has.

mod double;
mod template;

use super::*;
use crate::test_client::{Double, start};
use aws_sdk_dynamodb::Client;
use conformance::dynamodb::{Place, SCENARIOS};
use conformance::run::failures;

const TABLE: &str = "longshore";

fn double() -> (Double<DynamoDb>, Client) {
    let mut database = DynamoDb::new().unwrap();
    database.create_table(TABLE, start()).unwrap();
    let double = Double::new(database, DynamoDb::answer);
    let client = Client::new(&double.sdk());
    (double, client)
}

#[tokio::test]
async fn conformance() {
    let make = async || Place {
        client: double().1,
        table: TABLE.to_owned(),
    };
    let failures = failures(SCENARIOS, &[], 1, make, async |_| ()).await;
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
