//! Whatever names the functions names the same ones: `functions/src/bin`, the template and `events/`. Those behind the gateway are
//! the endpoints that `crates/wire` declares. And each sample event is one that the template would send to its function.

use crate::{tools, workspace};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use wire::{Caller, Declaration, ENDPOINTS};

/// What invokes a function.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// An endpoint of the registry, which knows more.
    Http,
    Queue {
        batch: i64,
    },
    Schedule {
        rate: String,
    },
    /// Nothing in the template: a principal with the permission invokes it.
    Direct,
}

impl Trigger {
    /// What invokes it; nothing of an endpoint.
    pub(crate) fn in_words(&self) -> Option<String> {
        Some(match self {
            Self::Http => return None,
            Self::Queue { .. } => "SQS".to_owned(),
            Self::Schedule { rate } if rate == "rate(1 minute)" => "every minute".to_owned(),
            Self::Schedule { rate } => {
                let every = rate.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')'));
                every.map_or_else(|| rate.clone(), |every| format!("every {every}"))
            }
            Self::Direct => "administrators".to_owned(),
        })
    }

    /// A function may have two queues, and nothing else twice.
    fn and(self, name: &str, other: &Self) -> Self {
        match (self, other) {
            (Self::Queue { batch }, Self::Queue { batch: other }) => Self::Queue {
                batch: batch.max(*other),
            },
            _ => panic!("{name} has more than one trigger"),
        }
    }

    /// The cases that a function needs.
    fn cases(&self, function: &str) -> &[&str] {
        match self {
            // `put.py` makes bad input of the other event.
            Self::Http if has_other_bad_input(wire::endpoint(function).unwrap()) => &["success"],
            Self::Http | Self::Direct => &["success", "bad-input"],
            Self::Queue { .. } => &["success", "bad-input", "partial-batch"],
            // It is told nothing, so nothing about it can be wrong.
            Self::Schedule { .. } => &["success"],
        }
    }
}

/// Whether an endpoint takes something besides a body that can be wrong: an id, or a token.
fn has_other_bad_input(endpoint: &Declaration) -> bool {
    !endpoint.needs_body() && endpoint.caller != Caller::Anybody
}

/// `file-get` is `FileGetFunction` in the template.
fn logical_id(function: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    function.split('-').map(capital).collect::<String>() + "Function"
}

fn text<'a>(node: &'a Yaml, key: &str) -> &'a str {
    node.as_mapping_get(key)
        .and_then(Yaml::as_str)
        .unwrap_or_else(|| panic!("no text {key} in {node:?}"))
}

/// A place within the template.
fn at<'a, 'b>(node: &'a Yaml<'b>, path: &str) -> &'a Yaml<'b> {
    path.split('.').fold(node, |node, key| {
        node.as_mapping_get(key)
            .unwrap_or_else(|| panic!("no {key} ({path})"))
    })
}

/// What an entry of a function's `Events` says.
fn trigger(name: &str, event: &Yaml) -> Trigger {
    let properties = at(event, "Properties");
    match text(event, "Type") {
        "Api" => {
            let Some(endpoint) = wire::endpoint(name) else {
                panic!(
                    "{name} is behind the gateway, but no endpoint: declare it in crates/wire/src/<resource>.rs, and add it to \
                     ENDPOINTS there"
                );
            };
            let said = (text(properties, "Method"), text(properties, "Path"));
            assert_eq!(
                said,
                (endpoint.method, endpoint.path),
                "infra/template.yaml: {name}"
            );
            Trigger::Http
        }
        "SQS" => Trigger::Queue {
            batch: at(properties, "BatchSize").as_integer().unwrap(),
        },
        "Schedule" => Trigger::Schedule {
            rate: text(properties, "Schedule").to_owned(),
        },
        other => panic!("{name} has a trigger of an unknown kind: {other}"),
    }
}

/// The template's functions by name, and the stage of its gateway.
pub(crate) fn template() -> (BTreeMap<String, Trigger>, String) {
    let text_of_it = fs::read_to_string(workspace::root().join("infra/template.yaml")).unwrap();
    let documents = Yaml::load_from_str(&text_of_it).unwrap();
    // However else an endpoint can be written down, this would not see it.
    for other in ["HttpApi", "FunctionUrlConfig", "AWS::ApiGateway"] {
        assert!(!text_of_it.contains(other), "{other}");
    }
    let resources = at(&documents[0], "Resources");
    let mut functions = BTreeMap::new();
    for (id, resource) in resources.as_mapping().unwrap() {
        if text(resource, "Type") != "AWS::Serverless::Function" {
            continue;
        }
        let properties = at(resource, "Properties");
        let name = text(at(at(resource, "Metadata"), "BuildProperties"), "Binary");
        assert_eq!(id.as_str().unwrap(), logical_id(name));
        let Some(events) = properties.as_mapping_get("Events") else {
            functions.insert(name.to_owned(), Trigger::Direct);
            continue;
        };
        let mut triggers = events
            .as_mapping()
            .unwrap()
            .values()
            .map(|event| trigger(name, event));
        let first = triggers.next().unwrap();
        functions.insert(
            name.to_owned(),
            triggers.fold(first, |all, one| all.and(name, &one)),
        );
    }
    (
        functions,
        text(at(resources, "Api.Properties"), "StageName").to_owned(),
    )
}

/// The names of the folders in `events/`, but for the one that is no function's.
fn folders() -> Vec<String> {
    let entries = fs::read_dir(workspace::root().join("events")).unwrap();
    let folders = entries
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir());
    let mut names: Vec<_> = folders
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name != "sample")
        .collect();
    names.sort();
    names
}

/// The names of the files in a function's folder, without `.json`.
fn files(function: &str) -> Vec<String> {
    let folder = workspace::root().join("events").join(function);
    let entries = fs::read_dir(folder);
    let entries =
        entries.unwrap_or_else(|error| panic!("events/{function}: {error}; copy that of a similar function"));
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .map(|name| {
            let name = name.strip_suffix(".json");
            name.unwrap_or_else(|| panic!("events/{function} has a file that is no event"))
                .to_owned()
        })
        .collect()
}

/// The cases of a function.
fn cases(function: &str) -> Vec<String> {
    let mut cases = files(function);
    cases.retain(|name| !name.ends_with(".expected"));
    cases
}

#[test]
fn functions_template_events_and_registry_name_the_same() {
    let (functions, _) = template();
    let names: Vec<_> = functions.keys().cloned().collect();
    same_names(
        "infra/template.yaml",
        &names,
        "functions/src/bin",
        &workspace::functions().unwrap(),
    );
    same_names("infra/template.yaml", &names, "events/", &folders());
    let served = functions.iter().filter(|(_, trigger)| **trigger == Trigger::Http);
    let served: Vec<&str> = served.map(|(name, _)| name.as_str()).collect();
    let declared: Vec<&str> = ENDPOINTS.iter().map(|endpoint| endpoint.function).collect();
    same_names(
        "infra/template.yaml",
        &served,
        "ENDPOINTS in crates/wire/src/<resource>.rs",
        &declared,
    );
}

/// Says which names are in one place only.
fn same_names<T: AsRef<str>>(one: &str, names: &[T], other: &str, others: &[T]) {
    let set = |names: &[T]| {
        names
            .iter()
            .map(|name| name.as_ref().to_owned())
            .collect::<BTreeSet<_>>()
    };
    let (names, others) = (set(names), set(others));
    let missing: Vec<_> = names.difference(&others).collect();
    assert!(missing.is_empty(), "{missing:?}: in {one}, but not in {other}");
    let missing: Vec<_> = others.difference(&names).collect();
    assert!(missing.is_empty(), "{missing:?}: in {other}, but not in {one}");
}

#[test]
fn each_function_has_the_cases_that_it_needs_and_answers_have_events() {
    for (function, trigger) in template().0 {
        let cases = cases(&function);
        for needed in trigger.cases(&function) {
            assert!(
                cases.iter().any(|case| case == needed),
                "events/{function} lacks {needed}.json"
            );
        }
        let answers: BTreeSet<_> = files(&function).into_iter().collect();
        let answers: Vec<_> = answers
            .iter()
            .filter_map(|file| file.strip_suffix(".expected"))
            .collect();
        for answer in &answers {
            let is_of_an_event = cases.iter().any(|case| case == answer);
            assert!(
                is_of_an_event,
                "events/{function}/{answer}.expected.json has no event"
            );
        }
        for case in &cases {
            // What is expected when all is well, the declaration of an endpoint says.
            let is_declared = trigger == Trigger::Http && case == "success";
            assert!(
                is_declared || answers.contains(&case.as_str()),
                "events/{function}/{case}.json has no expected answer"
            );
        }
    }
}

#[test]
fn each_event_is_what_the_template_sends() {
    let (functions, stage) = template();
    for (function, trigger) in functions {
        for case in cases(&function) {
            let place = format!("events/{function}/{case}.json");
            let event = tools::read_json(&workspace::root().join(&place)).unwrap();
            match &trigger {
                Trigger::Http => http(&place, &event, wire::endpoint(&function).unwrap(), &stage),
                Trigger::Queue { batch } => messages(&place, &event, *batch),
                Trigger::Schedule { .. } => {
                    assert_eq!(event["source"], "aws.events", "{place}");
                    assert_eq!(event["detail-type"], "Scheduled Event", "{place}");
                }
                Trigger::Direct => {
                    for of_a_service in ["httpMethod", "Records", "source", "requestContext"] {
                        assert!(event[of_a_service].is_null(), "{place}: {of_a_service}");
                    }
                }
            }
        }
    }
}

/// An event of the gateway says most things twice.
fn http(place: &str, event: &Value, endpoint: &Declaration, stage: &str) {
    let (method, resource) = (endpoint.method, endpoint.path);
    let path = resource.replace("{id}", event["pathParameters"]["id"].as_str().unwrap_or_default());
    let context = &event["requestContext"];
    for (member, there, wanted) in [
        ("httpMethod", &event["httpMethod"], method),
        ("resource", &event["resource"], resource),
        ("path", &event["path"], path.as_str()),
        ("requestContext.httpMethod", &context["httpMethod"], method),
        ("requestContext.resourcePath", &context["resourcePath"], resource),
        ("requestContext.stage", &context["stage"], stage),
        (
            "requestContext.path",
            &context["path"],
            &format!("/{stage}{path}"),
        ),
    ] {
        assert_eq!(there, wanted, "{place}: {member}");
    }
    for (single, multiple) in [
        ("headers", "multiValueHeaders"),
        ("queryStringParameters", "multiValueQueryStringParameters"),
    ] {
        let once: Vec<_> = event[single].as_object().into_iter().flatten().collect();
        let twice = event[multiple].as_object().into_iter().flatten();
        let twice: Vec<_> = twice.map(|(name, values)| (name, &values[0])).collect();
        assert_eq!(once, twice, "{place}: {single} and {multiple}");
    }
}

fn messages(place: &str, event: &Value, batch: i64) {
    let records = event["Records"].as_array().unwrap();
    assert!(
        (1..=batch).contains(&i64::try_from(records.len()).unwrap()),
        "{place}"
    );
    let mut ids = Vec::new();
    for record in records {
        assert_eq!(record["eventSource"], "aws:sqs", "{place}");
        for text in ["messageId", "receiptHandle", "body"] {
            assert!(record[text].is_string(), "{place}: {text}");
        }
        ids.push(&record["messageId"]);
    }
    let expected = place.replace(".json", ".expected.json");
    let expected = tools::read_json(&workspace::root().join(expected)).unwrap();
    for failure in expected["answer"]["batchItemFailures"].as_array().unwrap() {
        assert!(ids.contains(&&failure["itemIdentifier"]), "{place}: {failure}");
    }
}
