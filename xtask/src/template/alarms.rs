//! Who hears what about what goes wrong.

use super::{resources, template};
use crate::workspace;
use serde_json::{Value, json};
use std::fs;

fn alarms(template: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let alarms = resources(template).filter(|(_, resource)| resource["Type"] == "AWS::CloudWatch::Alarm");
    alarms.map(|(id, alarm)| (id, &alarm["Properties"]))
}

/// The alarms about a number of Lambda's of one function.
fn about<'a>(template: &'a Value, function: &str, metric: &str) -> Vec<&'a Value> {
    let dimensions = json!([{ "Name": "FunctionName", "Value": { "!Ref": function } }]);
    alarms(template)
        .map(|(_, alarm)| alarm)
        .filter(|alarm| alarm["Namespace"] == "AWS/Lambda" && alarm["MetricName"] == metric)
        .filter(|alarm| alarm["Dimensions"] == dimensions)
        .collect()
}

#[test]
fn whoever_is_named_hears_of_every_alarm_and_of_its_end() {
    let template = template("template.yaml");
    let topic =
        json!({ "!If": ["HasAlarmTopic", [{ "!Ref": "AlarmTopicArn" }], { "!Ref": "AWS::NoValue" }] });
    for (id, alarm) in alarms(&template) {
        assert_eq!(
            (&alarm["AlarmActions"], &alarm["OKActions"]),
            (&topic, &topic),
            "{id}"
        );
    }
}

/// What is not run at all says nothing, and an alarm that takes that for good never goes off.
#[test]
fn what_works_by_itself_is_missed_when_it_stops_or_fails() {
    let template = template("template.yaml");
    let mut scheduled = 0;
    for (id, function) in resources(&template) {
        let events = function["Properties"]["Events"].as_object().into_iter().flatten();
        let kinds: Vec<&str> = events.filter_map(|(_, event)| event["Type"].as_str()).collect();
        let by_itself = function["Type"] == "AWS::Serverless::Function" && !kinds.contains(&"Api");
        if !by_itself || kinds.is_empty() {
            continue;
        }
        let [errors] = about(&template, id, "Errors")[..] else {
            panic!("no alarm is about errors of {id}");
        };
        assert_eq!(errors["ComparisonOperator"], "GreaterThanThreshold", "{id}");
        assert_eq!(
            (&errors["Statistic"], &errors["Threshold"]),
            (&json!("Sum"), &json!(0)),
            "{id}"
        );
        if !kinds.contains(&"Schedule") {
            continue;
        }
        scheduled += 1;
        let [stopped] = about(&template, id, "Invocations")[..] else {
            panic!("no alarm is about {id} not being run");
        };
        assert_eq!(stopped["TreatMissingData"], "breaching", "{id}");
        assert_eq!(stopped["ComparisonOperator"], "LessThanThreshold", "{id}");
        assert_eq!(
            (&stopped["Statistic"], &stopped["Threshold"]),
            (&json!("Sum"), &json!(1)),
            "{id}"
        );
    }
    assert!(scheduled >= 2, "{scheduled}");
}

/// The gateway's 5xx are those of all functions behind it; what Lambda does not run, and what nobody could replicate.
#[test]
fn what_answers_requests_and_what_is_given_up_have_alarms() {
    let template = template("template.yaml");
    let metrics: Vec<_> = alarms(&template)
        .map(|(_, alarm)| format!("{} {}", alarm["Namespace"], alarm["MetricName"]).replace('"', ""))
        .collect();
    for wanted in [
        "AWS/ApiGateway 5XXError",
        "AWS/DynamoDB WriteThrottleEvents",
        "AWS/Lambda Throttles",
        "AWS/SQS ApproximateNumberOfMessagesVisible",
    ] {
        assert!(
            metrics.iter().any(|metric| metric == wanted),
            "{wanted}: {metrics:?}"
        );
    }
}

/// The person whom an alarm wakes finds it by its name.
#[test]
fn every_alarm_is_in_the_documents_with_what_to_do() {
    let template = template("template.yaml");
    let targets = fs::read_to_string(workspace::root().join("docs/targets.md")).unwrap();
    let said: Vec<&str> = targets
        .lines()
        .filter_map(|line| {
            line.strip_prefix("| `")?
                .split_once("Alarm` |")
                .map(|(name, _)| name)
        })
        .collect();
    let mut there: Vec<&str> = alarms(&template)
        .map(|(id, _)| id.strip_suffix("Alarm").unwrap())
        .collect();
    there.sort_unstable();
    let mut sorted = said.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, there);
}
