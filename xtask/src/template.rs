//! What holds of `infra/template.yaml` and `infra/github-role.yaml` and no linter knows. Much of it shows on AWS only.

mod alarms;

use crate::workspace;
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fs;

/// A template, with `!Ref x` as `{"!Ref": x}`.
fn template(name: &str) -> Value {
    let text = fs::read_to_string(workspace::root().join("infra").join(name)).unwrap();
    value(&Yaml::load_from_str(&text).unwrap()[0])
}

fn value(node: &Yaml) -> Value {
    match node {
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Value(Scalar::Integer(number)) => json!(number),
        Yaml::Value(Scalar::Boolean(yes)) => json!(yes),
        Yaml::Value(Scalar::FloatingPoint(number)) => json!(**number),
        Yaml::Sequence(items) => items.iter().map(value).collect(),
        Yaml::Mapping(members) => Value::Object(
            members
                .iter()
                .map(|(key, member)| (key.as_str().unwrap_or_default().to_owned(), value(member)))
                .collect::<Map<_, _>>(),
        ),
        Yaml::Tagged(tag, inner) => json!({ format!("!{}", tag.suffix): value(inner) }),
        Yaml::Value(Scalar::Null) | Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => Value::Null,
    }
}

fn resources(template: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let all = template["Resources"].as_object().unwrap();
    all.iter().map(|(id, resource)| (id.as_str(), resource))
}

/// One thing or a list of things, as a list.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

fn texts(value: &Value) -> BTreeSet<&str> {
    list(value).into_iter().filter_map(Value::as_str).collect()
}

/// What a policy allows, statement by statement: actions, and resources.
fn statements(policies: &Value) -> impl Iterator<Item = (BTreeSet<&str>, &Value)> {
    let documents = list(policies).into_iter().map(|policy| {
        let inner = &policy["PolicyDocument"];
        if inner.is_null() { policy } else { inner }
    });
    documents
        .flat_map(|document| list(&document["Statement"]))
        .map(|statement| (texts(&statement["Action"]), &statement["Resource"]))
}

/// The policies of a function: its own, or those of the role that it is given.
fn policies<'a>(template: &'a Value, function: &'a Value) -> &'a Value {
    let properties = &function["Properties"];
    match properties["Role"]["!GetAtt"].as_str() {
        Some(role) => {
            let role = role.strip_suffix(".Arn").unwrap();
            &template["Resources"][role]["Properties"]["Policies"]
        }
        None => &properties["Policies"],
    }
}

/// The queues that have a function work, as their `!GetAtt`s.
fn queues(function: &Value) -> BTreeSet<&str> {
    let events = function["Properties"]["Events"].as_object().into_iter().flatten();
    events
        .filter(|(_, event)| event["Type"] == "SQS")
        .map(|(_, event)| event["Properties"]["Queue"]["!GetAtt"].as_str().unwrap())
        .collect()
}

fn allowed(role: &str) -> BTreeSet<String> {
    let of_role = template("github-role.yaml");
    let policies = &of_role["Resources"][role]["Properties"]["Policies"];
    let actions = statements(policies).flat_map(|(actions, _)| actions);
    actions.map(str::to_owned).collect()
}

/// Lambda ends what it takes for a loop after sixteen messages in a row, unless it is told that the loop is meant.
#[test]
fn whoever_sends_to_a_queue_that_it_works_for_is_allowed_to() {
    let template = template("template.yaml");
    let mut looping = BTreeSet::new();
    for (id, function) in resources(&template).filter(|(_, it)| it["Type"] == "AWS::Serverless::Function") {
        let sends = |queue: &&str| {
            statements(policies(&template, function)).any(|(actions, resources)| {
                let to = list(resources);
                actions.contains("sqs:SendMessage") && to.iter().any(|to| to["!GetAtt"] == **queue)
            })
        };
        let loops = queues(function).iter().any(sends);
        let said = function["Properties"]["RecursiveLoop"].as_str();
        assert_eq!(said, loops.then_some("Allow"), "{id}");
        if loops {
            looping.insert(id.to_owned());
        }
    }
    assert!(looping.contains("ReplicateFunction"), "{looping:?}");
    let stack_role = allowed("StackRole");
    for action in ["Get", "Put"] {
        let action = format!("lambda:{action}FunctionRecursionConfig");
        assert!(stack_role.contains(&action), "{action}");
    }
}

/// What has data survives its stack, but for a stack that never came up: its next try would find the names taken or, where they
/// are made up, leave a second empty one behind. So `CloudFormation` must be able to delete it.
#[test]
fn data_is_kept_and_a_first_try_that_failed_leaves_nothing() {
    let template = template("template.yaml");
    let deletes = [
        ("AWS::DynamoDB::Table", "dynamodb:DeleteTable"),
        ("AWS::S3::Bucket", "s3:DeleteBucket"),
        ("AWS::S3::BucketPolicy", "s3:DeleteBucketPolicy"),
        ("AWS::SecretsManager::Secret", "secretsmanager:DeleteSecret"),
    ];
    let stack_role = allowed("StackRole");
    let mut kept = 0;
    for (id, resource) in resources(&template) {
        let delete = deletes.iter().find(|(kind, _)| resource["Type"] == *kind);
        let policies = (&resource["DeletionPolicy"], &resource["UpdateReplacePolicy"]);
        let Some((_, delete)) = delete else {
            let for_good = [policies.0, policies.1].map(|policy| policy.as_str().unwrap_or("Delete"));
            assert_eq!(for_good, ["Delete", "Delete"], "{id} is no data");
            continue;
        };
        kept += 1;
        assert_eq!(
            policies,
            (&json!("RetainExceptOnCreate"), &json!("Retain")),
            "{id}"
        );
        assert!(stack_role.contains(*delete), "{delete}");
    }
    assert_eq!(kept, 5);
}

/// Metrics are lines without a level, which Lambda takes for `INFO`.
#[test]
fn lambda_lets_through_what_the_functions_are_told_to_write() {
    let template = template("template.yaml");
    let levels = texts(&template["Parameters"]["LogLevel"]["AllowedValues"]);
    let mapping = template["Mappings"]["LetThrough"].as_object().unwrap();
    let mapped: BTreeSet<&str> = mapping.keys().map(String::as_str).collect();
    assert_eq!(mapped, levels);
    for (level, let_through) in mapping {
        let wanted = if ["debug", "trace"].contains(&level.as_str()) {
            level.to_uppercase()
        } else {
            "INFO".to_owned()
        };
        assert_eq!(let_through["Level"], wanted.as_str(), "{level}");
    }
    let logging = &template["Globals"]["Function"]["LoggingConfig"];
    let found = &logging["ApplicationLogLevel"]["!FindInMap"];
    assert_eq!(found, &json!(["LetThrough", { "!Ref": "LogLevel" }, "Level"]));
    assert_eq!(logging["LogFormat"], "JSON", "otherwise levels mean nothing");
}

/// An index that throttles throttles the table's writes.
#[test]
fn every_index_is_as_warm_as_the_table() {
    let template = template("template.yaml");
    let table = &template["Resources"]["Table"]["Properties"];
    let warm = &table["WarmThroughput"];
    assert_eq!(warm["!If"][0], "TableIsWarm");
    let indexes = table["GlobalSecondaryIndexes"].as_array().unwrap();
    assert!(indexes.len() >= 2);
    for index in indexes {
        assert_eq!(&index["WarmThroughput"], warm, "{}", index["IndexName"]);
    }
    assert_eq!(template["Parameters"]["WarmWriteUnits"]["Default"], 0);
}

/// GitHub says who a workflow is in one of two forms, by the age of the repository.
#[test]
fn both_forms_of_a_workflows_name_are_trusted_and_nothing_else() {
    let template = template("github-role.yaml");
    let trust = &template["Resources"]["DeployRole"]["Properties"]["AssumeRolePolicyDocument"];
    let condition = trust["Statement"][0]["Condition"].as_object().unwrap();
    assert_eq!(condition.keys().collect::<Vec<_>>(), ["StringEquals"]);
    let subject = &condition["StringEquals"]["token.actions.githubusercontent.com:sub"];
    let forms = subject.as_array().unwrap();
    let by_name = json!({ "!Sub": "repo:${Repository}:environment:${Environment}" });
    let by_number = &forms[1]["!If"];
    assert_eq!((forms.len(), &forms[0]), (2, &by_name));
    let form = "repo:${Owner}@${OwnerId}/${Name}@${RepositoryId}:environment:${Environment}";
    assert_eq!(
        (&by_number[0], &by_number[1]["!Sub"][0]),
        (&json!("NumbersAreKnown"), &json!(form))
    );
    assert_eq!(by_number[2], json!({ "!Ref": "AWS::NoValue" }));
}

/// `docs/limits.md` says which limit is which parameter's, and what it is when nobody says otherwise.
#[test]
fn the_limits_in_the_documents_are_those_of_the_template() {
    let template = template("template.yaml");
    let limits = fs::read_to_string(workspace::root().join("docs/limits.md")).unwrap();
    let (table, rest) = limits.split_once("\n## A million").unwrap();
    for setting in rest.split('`').skip(1).step_by(2).flat_map(str::split_whitespace) {
        if let Some((name, _)) = setting.split_once('=') {
            assert!(
                template["Parameters"][name].is_object(),
                "there is no parameter {name}"
            );
        }
    }
    let mut compared = 0;
    for line in table.lines().filter(|line| line.starts_with("| `")) {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let name = cells.next().unwrap().trim_matches('`');
        let said = cells.next().unwrap().replace(',', "");
        let parameter = &template["Parameters"][name];
        assert!(parameter.is_object(), "there is no parameter {name}");
        assert_eq!(said, parameter["Default"].to_string().trim_matches('"'), "{name}");
        compared += 1;
    }
    assert!(compared >= 12, "{compared}");
}
