//! The OpenAPI 3.1 document of the API. `docs/openapi.json` is what comes out; `cargo xtask generate` writes it, a test keeps it
//! so, and `GET /v1/openapi.json` serves it.

use crate::answer::Form;
use crate::declaration::Declaration;
use crate::problem::Code;
use crate::query::Parameter;
use crate::registry::ENDPOINTS;
use crate::{Caller, Schemas};
use domain::token::Scope;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Longest `Idempotency-Key`, in bytes.
pub const LONGEST_KEY: usize = 255;

/// The document.
#[must_use]
pub fn document() -> Value {
    let mut schemas = Schemas::new();
    let (mut paths, mut problems): (Map<String, Value>, Map<String, Value>) = Default::default();
    for endpoint in ENDPOINTS.iter() {
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        path[endpoint.method.to_lowercase()] = operation(endpoint, &mut schemas, &mut problems);
    }
    let (read, mut all) = schemas.definitions();
    all.extend(read);
    all.insert("Problem".to_owned(), problem_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Longshore",
            "version": "1",
            "description": "A file store. The bytes of files do not go through this API: it hands out presigned \
                            addresses at the object store.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "..", "description": "Where this document comes from" }],
        "paths": paths,
        "components": {
            "responses": problems,
            "schemas": all,
            "securitySchemes": {
                "session": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "An access token of POST /v1/sessions",
                },
                "personalToken": {
                    "type": "http", "scheme": "bearer",
                    "description": "A personal access token of POST /v1/tokens with the scope that is named",
                },
            },
        },
    })
}

/// An endpoint; the problems that it answers are added to `problems`, by name.
fn operation(endpoint: &Declaration, schemas: &mut Schemas, problems: &mut Map<String, Value>) -> Value {
    let it = (endpoint.describe)(schemas);
    let mut responses = Map::new();
    for (form, meaning) in it.answers.iter().zip(endpoint.meanings) {
        responses.insert(form.status.to_string(), form.to_value(meaning));
    }
    refusals(endpoint.problems, &mut responses, problems);
    let mut operation = json!({
        "operationId": endpoint.operation,
        "summary": endpoint.summary,
        "responses": responses,
        "security": security(endpoint.caller),
    });
    let mut parameters: Vec<Value> = Vec::new();
    if endpoint.idempotent {
        let schema = json!({
            "type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]([ -~]*[!-~])?$",
        });
        let meaning = "The same key with the same path and body gets the same answer for 24 hours, and nothing is made twice";
        parameters.push(parameter("header", "Idempotency-Key", meaning, &schema));
    }
    if endpoint.conditional {
        let meaning = "An `ETag`: nothing is done when there is another version by now";
        parameters.push(parameter(
            "header",
            "If-Match",
            meaning,
            &json!({ "type": "string" }),
        ));
    }
    if let Some(schema) = &it.path {
        parameters.push(parameter("path", "id", "Which one", schema.as_value()));
    }
    let query = it.query.iter();
    parameters.extend(query.map(
        |Parameter {
             name,
             meaning,
             schema,
             is_needed,
         }| {
            let mut parameter = parameter("query", name, meaning, schema);
            parameter["required"] = json!(is_needed);
            parameter
        },
    ));
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    if let Some(body) = &it.body {
        operation["requestBody"] = json!({
            "required": !it.body_may_be_absent,
            "content": { "application/json": { "schema": body } },
        });
    }
    match endpoint.caller {
        Caller::Operator(_) => operation["description"] = json!("For operators."),
        Caller::Session => {
            operation["description"] = json!("No personal access token may do this.");
        }
        Caller::Anybody | Caller::Scope(_) | Caller::EitherScope(..) => {}
    }
    operation
}

fn security(caller: Caller) -> Value {
    match caller {
        Caller::Anybody => json!([]),
        Caller::Session => json!([{ "session": [] }]),
        Caller::Scope(scope) | Caller::Operator(scope) => {
            json!([{ "session": [] }, { "personalToken": [scope.as_str()] }])
        }
        Caller::EitherScope(one, other) => {
            let token = |scope: Scope| json!({ "personalToken": [scope.as_str()] });
            json!([{ "session": [] }, token(one), token(other)])
        }
    }
}

fn parameter(place: &str, name: &str, meaning: &str, schema: &Value) -> Value {
    json!({
        "in": place, "name": name, "required": place == "path", "description": meaning, "schema": schema,
    })
}

impl Form {
    fn to_value(&self, meaning: &str) -> Value {
        let mut response = json!({ "description": meaning });
        if let Some(schema) = &self.schema {
            response["content"] = json!({ "application/json": { "schema": schema } });
        }
        for (name, meaning) in self.headers {
            response["headers"][name] = json!({
                "description": meaning, "required": true, "schema": { "type": "string" },
            });
        }
        response
    }
}

/// What an endpoint answers when something is wrong, by status.
fn refusals(codes: &[Code], responses: &mut Map<String, Value>, problems: &mut Map<String, Value>) {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.status()).or_default().push(*code);
    }
    // What only the gateway answers, which gives up after 29 seconds.
    by_status.extend([(502, vec![Code::Internal]), (504, vec![Code::Unavailable])]);
    for (status, mut codes) in by_status {
        codes.sort_by_key(|code| code.as_str());
        let names: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
        let name = format!("{status}.{}", names.join("."));
        let reference = format!("#/components/responses/{name}");
        problems.entry(name).or_insert_with(|| problem(status, &codes));
        responses.insert(status.to_string(), json!({ "$ref": reference }));
    }
}

fn problem(status: u16, codes: &[Code]) -> Value {
    let meanings: Vec<String> = codes
        .iter()
        .map(|code| format!("`{}`: {}", code.as_str(), code.meaning()))
        .collect();
    let codes: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    let mut response = json!({
        "description": meanings.join("\n\n"),
        "content": { "application/problem+json": { "schema": {
            "allOf": [{ "$ref": "#/components/schemas/Problem" }],
            "properties": { "code": { "enum": codes }, "status": { "const": status } },
        } } },
    });
    let header = match status {
        401 => Some(("WWW-Authenticate", json!({ "type": "string" }))),
        429 => Some(("Retry-After", json!({ "type": "integer", "minimum": 1 }))),
        _ => None,
    };
    if let Some((name, schema)) = header {
        response["headers"][name] = json!({ "schema": schema });
    }
    response
}

fn problem_schema() -> Value {
    let text = |meaning: &str| json!({ "type": "string", "description": meaning });
    json!({
        "type": "object",
        "description": "What is wrong (RFC 9457). Some have further members for programs.",
        "required": ["type", "title", "status", "code", "detail", "message"],
        "properties": {
            "type": { "type": "string", "format": "uri", "description": "Names the kind of problem" },
            "title": text("The kind of problem, for people"),
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "code": text("The kind of problem, for programs"),
            "detail": text("What is wrong here, and what to do"),
            "message": text("The same, where clients look for it"),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A type that looks one way when it is read and another when it is written would need two names.
    #[test]
    fn what_is_read_and_written_looks_the_same() {
        let mut schemas = Schemas::new();
        for endpoint in ENDPOINTS.iter() {
            (endpoint.describe)(&mut schemas);
        }
        let (read, written) = schemas.definitions();
        let both = read.iter().filter(|(name, _)| written.contains_key(*name));
        let mut count = 0;
        for (name, schema) in both {
            assert_eq!(schema, &written[name], "{name}");
            count += 1;
        }
        assert!(count > 3, "{count}");
    }

    /// Every reference leads somewhere.
    #[test]
    fn every_schema_that_is_named_is_there() {
        fn names(value: &Value, into: &mut Vec<String>) {
            match value {
                Value::Object(members) => {
                    if let Some(Value::String(name)) = members.get("$ref") {
                        into.push(name.clone());
                    }
                    members.values().for_each(|member| names(member, into));
                }
                Value::Array(items) => items.iter().for_each(|item| names(item, into)),
                _ => {}
            }
        }
        let document = document();
        let mut named = Vec::new();
        names(&document, &mut named);
        assert!(!named.is_empty());
        for name in named {
            let pointer = name.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{name}");
        }
    }
}
