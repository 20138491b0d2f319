//! The table is the one of the template.

use super::table::{TTL, create_table};
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// The values of a node. What `CloudFormation` fills in is none.
fn value(node: &Yaml) -> Value {
    match node {
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Value(Scalar::Boolean(yes)) => json!(yes),
        Yaml::Sequence(items) => items.iter().map(value).collect(),
        Yaml::Mapping(members) => {
            let members = members.iter();
            let members = members.map(|(key, it)| (key.as_str().unwrap().to_owned(), value(it)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        _ => Value::Null,
    }
}

#[test]
fn keys_and_indexes_are_those_of_the_template() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/template.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let template = value(&Yaml::load_from_str(&text).unwrap()[0]);
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
