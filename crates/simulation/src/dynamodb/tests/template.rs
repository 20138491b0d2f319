//! The table is the one of the template.

use super::table::{TTL, create_table};
use crate::template::document;
use serde_json::{Value, json};

#[test]
fn keys_and_indexes_are_those_of_the_template() {
    let template = document().unwrap();
    let resources = template["Resources"].as_object().unwrap().values();
    let tables: Vec<&Value> = resources
        .filter(|it| it["Type"] == "AWS::DynamoDB::Table")
        .collect();
    let [table] = tables[..] else { panic!("one table") };
    let properties = &table["Properties"];
    let mut made = create_table("x");
    for name in ["BillingMode", "KeySchema"] {
        assert_eq!(made[name], properties[name], "{name}");
    }
    let mut indexes = properties["GlobalSecondaryIndexes"].clone();
    for index in indexes.as_array_mut().unwrap() {
        index.as_object_mut().unwrap().remove("WarmThroughput");
    }
    assert_eq!(made["GlobalSecondaryIndexes"], indexes);
    let sorted = |attributes: &Value| {
        let mut attributes: Vec<String> = attributes
            .as_array()
            .unwrap()
            .iter()
            .map(Value::to_string)
            .collect();
        attributes.sort();
        attributes
    };
    let attributes = made["AttributeDefinitions"].take();
    assert_eq!(sorted(&attributes), sorted(&properties["AttributeDefinitions"]));
    let ttl = json!({ "AttributeName": TTL, "Enabled": true });
    assert_eq!(properties["TimeToLiveSpecification"], ttl);
}
