//! The OpenAPI 3.1 document of the API, made of the types that requests are read into and answers are written from.
//!
//! `docs/openapi.json` is what comes out; a test keeps it so, and `GET /v1/openapi.json` serves it. What each endpoint
//! answers besides is said in [`operations`].

use crate::idempotency::MAX_LENGTH as LONGEST_KEY;
use crate::problem::Code;
use crate::requests::{
    Answer, ChangePassword, ConfirmPassword, Credentials, NewAccount, NewFolder, NewToken, NewUpload,
    PartsToSign, Refresh, ResetPassword,
};
use crate::views::{
    Account, DeletedFolder, Items, Node, PersonalToken, Redriven, Session, SignedParts, Target, Upload,
};
use domain::id::{NodeId, PersonalTokenId, TargetName, UploadId};
use domain::name::Name;
use domain::placement::Destination;
use domain::token::Scope;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Where the document is in the repository, seen from its root.
pub const PLACE: &str = "docs/openapi.json";
/// The document.
pub const TEXT: &str = include_str!("../../../docs/openapi.json");

/// Who may call an endpoint.
#[derive(Clone, Copy)]
enum Who {
    /// Anybody: whoever calls has no account yet, or says who he is in the body.
    Anybody,
    /// A session, or a personal access token with this scope.
    Scope(Scope),
    /// The same, of an operator.
    Operator(Scope),
    /// A session.
    Session,
}

/// A parameter of the path, the query or a header.
struct Parameter {
    place: &'static str,
    name: &'static str,
    meaning: &'static str,
    schema: Value,
}

/// An answer that is no error.
struct Good {
    status: u16,
    meaning: &'static str,
    schema: Option<Schema>,
    headers: &'static [(&'static str, &'static str)],
}

/// One endpoint.
struct Operation {
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    who: Who,
    parameters: Vec<Parameter>,
    body: Option<Schema>,
    body_may_be_absent: bool,
    good: Vec<Good>,
    problems: Vec<Code>,
}

/// Where something is that was made.
const LOCATION: &[(&str, &str)] = &[(
    "Location",
    "Where it can be read, relative to the address of this request",
)];

/// Makes operations, and collects the schemas that they name.
struct Writer {
    /// Of what is read.
    requests: SchemaGenerator,
    /// Of what is written.
    answers: SchemaGenerator,
}

impl Writer {
    fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
        };
        Self {
            requests: settings().for_deserialize().into_generator(),
            answers: settings().for_serialize().into_generator(),
        }
    }

    fn parameter<T: JsonSchema>(
        &mut self,
        place: &'static str,
        name: &'static str,
        meaning: &'static str,
    ) -> Parameter {
        let schema = self.requests.subschema_for::<T>().to_value();
        let schema = if place == "query" {
            or_empty(&schema)
        } else {
            schema
        };
        Parameter {
            place,
            name,
            meaning,
            schema,
        }
    }

    fn id<T: JsonSchema>(&mut self) -> Parameter {
        self.parameter::<T>("path", "id", "Which one")
    }

    fn body<T: JsonSchema>(&mut self) -> Schema {
        self.requests.subschema_for::<T>()
    }

    fn answer<T: JsonSchema>(&mut self, status: u16, meaning: &'static str) -> Good {
        let schema = Some(self.answers.subschema_for::<T>());
        let headers: &[_] = if status == 201 { LOCATION } else { &[] };
        Good {
            status,
            meaning,
            schema,
            headers,
        }
    }

    /// All that the schemas name.
    fn definitions(&mut self) -> Map<String, Value> {
        let mut all = self.answers.take_definitions(true);
        all.extend(self.requests.take_definitions(true));
        all
    }
}

fn operation(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    who: Who,
) -> Operation {
    let mut problems = vec![Code::TooManyRequests, Code::Internal, Code::Unavailable];
    match who {
        Who::Anybody => {}
        Who::Scope(_) => problems.extend([Code::Unauthorized, Code::InsufficientScope]),
        Who::Operator(_) => {
            problems.extend([Code::Unauthorized, Code::InsufficientScope, Code::Forbidden]);
        }
        Who::Session => problems.extend([Code::Unauthorized, Code::Forbidden]),
    }
    Operation {
        method,
        path,
        id,
        summary,
        who,
        parameters: Vec::new(),
        body: None,
        body_may_be_absent: false,
        good: Vec::new(),
        problems,
    }
}

/// A parameter of the query that is there without a value is as good as none: forms send those.
fn or_empty(schema: &Value) -> Value {
    json!({ "anyOf": [schema, { "const": "" }] })
}

impl Operation {
    fn takes(mut self, parameter: Parameter) -> Self {
        self.problems.push(match parameter.place {
            "path" => Code::NotFound,
            _ => Code::InvalidRequest,
        });
        self.parameters.push(parameter);
        self
    }

    fn reads(mut self, body: Schema) -> Self {
        self.body = Some(body);
        self.or([Code::MalformedJson, Code::InvalidRequest, Code::PayloadTooLarge])
    }

    fn reads_if_any(self, body: Schema) -> Self {
        Self {
            body_may_be_absent: true,
            ..self.reads(body)
        }
    }

    fn gives(mut self, good: Good) -> Self {
        self.good.push(good);
        self
    }

    fn gives_nothing(self) -> Self {
        self.gives(Good {
            status: 204,
            meaning: "It is done",
            schema: None,
            headers: &[],
        })
    }

    fn or(mut self, problems: impl IntoIterator<Item = Code>) -> Self {
        self.problems.extend(problems);
        self
    }

    fn paged(self) -> Self {
        let limit = json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 50 });
        self.takes(Parameter {
            place: "query",
            name: "cursor",
            meaning: "`next_cursor` of the page before",
            schema: json!({ "type": "string" }),
        })
        .takes(Parameter {
            place: "query",
            name: "limit",
            meaning: "How many items the page has at most",
            schema: or_empty(&limit),
        })
    }

    fn once(self) -> Self {
        let schema = json!({
            "type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]([ -~]*[!-~])?$",
        });
        let meaning =
            "The same key with the same body gets the same answer for 24 hours, and nothing is made twice";
        self.takes(Parameter {
            place: "header",
            name: "Idempotency-Key",
            meaning,
            schema,
        })
        .or([Code::KeyReused])
    }

    /// As the document has it; the problems it answers are added to `problems`, by name.
    fn to_value(&self, problems: &mut Map<String, Value>) -> Value {
        let mut responses = Map::new();
        for good in &self.good {
            responses.insert(good.status.to_string(), good.to_value());
        }
        let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
        for code in &self.problems {
            let codes = by_status.entry(code.status().as_u16()).or_default();
            if !codes.contains(code) {
                codes.push(*code);
            }
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
        let mut operation = json!({
            "operationId": self.id,
            "summary": self.summary,
            "responses": responses,
            "security": self.security(),
        });
        let parameters = self.parameters.iter().map(Parameter::to_value);
        let parameters: Vec<Value> = parameters.collect();
        if !parameters.is_empty() {
            operation["parameters"] = Value::Array(parameters);
        }
        if let Some(body) = &self.body {
            operation["requestBody"] = json!({
                "required": !self.body_may_be_absent,
                "content": { "application/json": { "schema": body } },
            });
        }
        match self.who {
            Who::Operator(_) => operation["description"] = json!("For operators."),
            Who::Session => {
                operation["description"] = json!("No personal access token may do this.");
            }
            Who::Anybody | Who::Scope(_) => {}
        }
        operation
    }

    fn security(&self) -> Value {
        match self.who {
            Who::Anybody => json!([]),
            Who::Session => json!([{ "session": [] }]),
            Who::Scope(scope) | Who::Operator(scope) => {
                json!([{ "session": [] }, { "personalToken": [scope.as_str()] }])
            }
        }
    }
}

impl Parameter {
    fn to_value(&self) -> Value {
        json!({
            "in": self.place, "name": self.name, "required": self.place == "path", "description": self.meaning,
            "schema": self.schema,
        })
    }
}

impl Good {
    fn to_value(&self) -> Value {
        let mut response = json!({ "description": self.meaning });
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

/// Every endpoint. One that the template has and this has not fails a test, and the other way round.
#[expect(clippy::too_many_lines, reason = "it is a list")]
fn operations(w: &mut Writer) -> Vec<Operation> {
    use Code::{
        BytesUnavailable, ChangedMeanwhile, ContentMismatch, FolderNotEmpty, InvitationInvalid,
        InvitationRequired, NameTaken, NotFound, ParentNotFound, PartsMissing, QuotaExceeded, TooDeep,
        Unauthorized, Unreadable, UploadNotOpen, UsernameTaken, WrongPassword,
    };
    use Scope::{Admin, Read, Upload as Uploading};
    vec![
        operation(
            "get",
            "/v1/openapi.json",
            "getOpenApi",
            "This document",
            Who::Anybody,
        )
        .gives(w.answer::<Map<String, Value>>(200, "The document")),
        operation(
            "post",
            "/v1/accounts",
            "createAccount",
            "Makes an account",
            Who::Anybody,
        )
        .reads(w.body::<NewAccount>())
        .gives(w.answer::<Account>(201, "The account"))
        .or([UsernameTaken, InvitationRequired, InvitationInvalid]),
        operation(
            "post",
            "/v1/accounts/password",
            "resetPassword",
            "Sets a forgotten password anew with a code that an administrator gave, and ends all sessions",
            Who::Anybody,
        )
        .reads(w.body::<ResetPassword>())
        .gives_nothing()
        .or([InvitationInvalid]),
        operation(
            "get",
            "/v1/account",
            "getAccount",
            "Shows one's account",
            Who::Scope(Read),
        )
        .gives(w.answer::<Account>(200, "The account")),
        operation(
            "delete",
            "/v1/account",
            "deleteAccount",
            "Deletes one's account",
            Who::Session,
        )
        .reads(w.body::<ConfirmPassword>())
        .gives_nothing()
        .or([WrongPassword, ChangedMeanwhile]),
        operation(
            "put",
            "/v1/account/password",
            "changePassword",
            "Changes the password and ends the other sessions",
            Who::Session,
        )
        .reads(w.body::<ChangePassword>())
        .gives_nothing()
        .or([WrongPassword, ChangedMeanwhile]),
        operation("post", "/v1/sessions", "signIn", "Begins a session", Who::Anybody)
            .reads(w.body::<Credentials>())
            .gives(w.answer::<Session>(201, "The session"))
            .or([Unauthorized]),
        operation(
            "post",
            "/v1/sessions/refresh",
            "refreshSession",
            "Exchanges a refresh token for new tokens, once",
            Who::Anybody,
        )
        .reads(w.body::<Refresh>())
        .gives(w.answer::<Session>(200, "The session with its next tokens"))
        .or([Unauthorized, ChangedMeanwhile]),
        operation(
            "delete",
            "/v1/sessions/current",
            "signOut",
            "Ends this session",
            Who::Session,
        )
        .gives_nothing(),
        operation(
            "delete",
            "/v1/sessions",
            "signOutEverywhere",
            "Ends all sessions of the account",
            Who::Session,
        )
        .gives_nothing()
        .or([ChangedMeanwhile]),
        operation(
            "post",
            "/v1/tokens",
            "createToken",
            "Makes a personal access token, whose text is shown this once",
            Who::Session,
        )
        .reads(w.body::<NewToken>())
        .gives(w.answer::<PersonalToken>(201, "The token"))
        .or([ChangedMeanwhile]),
        operation(
            "get",
            "/v1/tokens",
            "listTokens",
            "Lists the personal access tokens",
            Who::Scope(Admin),
        )
        .paged()
        .gives(w.answer::<Items<PersonalToken>>(200, "The tokens")),
        operation(
            "delete",
            "/v1/tokens/{id}",
            "deleteToken",
            "Ends a personal access token",
            Who::Scope(Admin),
        )
        .takes(w.id::<PersonalTokenId>())
        .gives_nothing(),
        operation(
            "post",
            "/v1/uploads",
            "createUpload",
            "Begins an upload, or spares sending the bytes",
            Who::Scope(Uploading),
        )
        .once()
        .reads(w.body::<NewUpload>())
        .gives(w.answer::<Upload>(201, "It is `open`, or at once `complete`"))
        .gives(Good {
            headers: LOCATION,
            ..w.answer::<Upload>(200, "`proof_required`: somebody else has the bytes")
        })
        .or([NameTaken, ParentNotFound, QuotaExceeded, ChangedMeanwhile]),
        operation(
            "get",
            "/v1/uploads",
            "listUploads",
            "Lists the uploads under way",
            Who::Scope(Read),
        )
        .paged()
        .gives(w.answer::<Items<Upload>>(200, "The uploads")),
        operation(
            "get",
            "/v1/uploads/{id}",
            "getUpload",
            "Shows an upload, and which parts have arrived",
            Who::Scope(Read),
        )
        .takes(w.id::<UploadId>())
        .gives(w.answer::<Upload>(200, "The upload"))
        .or([ChangedMeanwhile]),
        operation(
            "post",
            "/v1/uploads/{id}/proof",
            "proveUpload",
            "Answers an upload's challenge",
            Who::Scope(Uploading),
        )
        .takes(w.id::<UploadId>())
        .reads(w.body::<Answer>())
        .gives(w.answer::<Upload>(200, "`complete`, or `open` when the answer was not right"))
        .or([UploadNotOpen, NameTaken, ParentNotFound, ChangedMeanwhile]),
        operation(
            "post",
            "/v1/uploads/{id}/parts",
            "signParts",
            "Signs the addresses that parts are sent to",
            Who::Scope(Uploading),
        )
        .takes(w.id::<UploadId>())
        .reads(w.body::<PartsToSign>())
        .gives(w.answer::<SignedParts>(200, "How to send them"))
        .or([UploadNotOpen, ChangedMeanwhile]),
        operation(
            "post",
            "/v1/uploads/{id}/complete",
            "completeUpload",
            "Turns the parts into a file",
            Who::Scope(Uploading),
        )
        .takes(w.id::<UploadId>())
        .reads_if_any(w.body::<Destination>())
        .gives(w.answer::<Upload>(200, "It is `complete`"))
        .gives(Good {
            headers: &[
                ("Location", "Where to ask how it goes"),
                ("Retry-After", "When to ask, in seconds"),
            ],
            ..w.answer::<Upload>(202, "It is `finalizing`: ask again")
        })
        .or([
            PartsMissing,
            ContentMismatch,
            UploadNotOpen,
            NameTaken,
            ParentNotFound,
            ChangedMeanwhile,
        ]),
        operation(
            "delete",
            "/v1/uploads/{id}",
            "abortUpload",
            "Gives an upload up",
            Who::Scope(Uploading),
        )
        .takes(w.id::<UploadId>())
        .gives_nothing()
        .or([UploadNotOpen, ChangedMeanwhile]),
        operation(
            "post",
            "/v1/folders",
            "createFolder",
            "Makes a folder",
            Who::Scope(Uploading),
        )
        .once()
        .reads(w.body::<NewFolder>())
        .gives(w.answer::<Node>(201, "The folder"))
        .or([NameTaken, ParentNotFound, TooDeep, ChangedMeanwhile]),
        operation(
            "get",
            "/v1/files",
            "listFiles",
            "Lists a folder by name",
            Who::Scope(Read),
        )
        .takes(w.parameter::<NodeId>("query", "parent", "Which folder; the root if there is none"))
        .takes(w.parameter::<Name>("query", "name", "Only the entry of this name"))
        .paged()
        .gives(w.answer::<Items<Node>>(200, "The entries"))
        .or([NotFound]),
        operation(
            "get",
            "/v1/files/{id}",
            "getFile",
            "Shows a file or a folder",
            Who::Scope(Read),
        )
        .takes(w.id::<NodeId>())
        .gives(w.answer::<Node>(200, "The file or folder")),
        operation(
            "get",
            "/v1/files/{id}/content",
            "downloadFile",
            "Leads to a file's bytes",
            Who::Scope(Read),
        )
        .takes(w.id::<NodeId>())
        .gives(Good {
            status: 307,
            meaning: "The bytes are there for a while; the address needs no token and must get none",
            schema: None,
            headers: &[(
                "Location",
                "A presigned address at an object store, which takes `Range`",
            )],
        })
        .or([BytesUnavailable]),
        operation(
            "delete",
            "/v1/files/{id}",
            "deleteFile",
            "Deletes a file or an empty folder",
            Who::Scope(Admin),
        )
        .takes(w.id::<NodeId>())
        .gives_nothing()
        .gives(w.answer::<DeletedFolder>(200, "It is done; uploads into the folder are still open"))
        .or([FolderNotEmpty, ChangedMeanwhile, Unreadable]),
        operation(
            "get",
            "/v1/targets",
            "listTargets",
            "Shows how replication to each target goes",
            Who::Operator(Read),
        )
        .gives(w.answer::<Items<Target>>(200, "The targets")),
        operation(
            "post",
            "/v1/targets/{id}/redrive",
            "redriveTarget",
            "Has failed replicas of a target tried again",
            Who::Operator(Admin),
        )
        .takes(w.id::<TargetName>())
        .gives(w.answer::<Redriven>(200, "How many")),
    ]
}

/// The document as the code has it.
#[must_use]
pub fn document() -> Value {
    let mut writer = Writer::new();
    let (mut paths, mut problems): (Map<String, Value>, Map<String, Value>) = Default::default();
    for operation in operations(&mut writer) {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = operation.to_value(&mut problems);
    }
    let mut schemas = writer.definitions();
    schemas.insert("Problem".to_owned(), problem_schema());
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
            "schemas": schemas,
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
    use std::collections::BTreeSet;
    use std::path::Path;

    fn root() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
    }

    #[test]
    fn the_document_that_is_checked_in_is_what_the_code_has() {
        let now = serde_json::to_string_pretty(&document()).unwrap() + "\n";
        if std::env::var_os("LONGSHORE_WRITE_DOCS").is_some() {
            std::fs::write(root().join(PLACE), &now).unwrap();
        }
        let kept = std::fs::read_to_string(root().join(PLACE)).unwrap();
        assert!(
            kept == now,
            "write it anew: LONGSHORE_WRITE_DOCS=1 cargo test -p edge openapi"
        );
    }

    #[test]
    fn the_document_has_exactly_the_endpoints_of_the_template() {
        let template = std::fs::read_to_string(root().join("infra/template.yaml")).unwrap();
        let event = |line: &str| {
            let (_, rest) = line.split_once("RestApiId: !Ref Api, Method: ")?;
            let (method, rest) = rest.split_once(", Path: \"")?;
            Some((method.to_lowercase(), rest.split_once('"')?.0.to_owned()))
        };
        let deployed: BTreeSet<_> = template.lines().filter_map(event).collect();
        // However else an endpoint can be written down, this would not see it.
        let events = template.lines().filter(|line| line.trim() == "Type: Api");
        assert_eq!(events.count(), deployed.len());
        for other in ["HttpApi", "FunctionUrlConfig", "AWS::ApiGateway"] {
            assert!(!template.contains(other), "{other}");
        }
        let operations = operations(&mut Writer::new());
        let said: BTreeSet<_> = operations
            .iter()
            .map(|operation| (operation.method.to_owned(), operation.path.to_owned()))
            .collect();
        assert_eq!(said, deployed);
        let ids: BTreeSet<_> = operations.iter().map(|operation| operation.id).collect();
        assert_eq!(ids.len(), operations.len());
    }

    /// A type that looks one way when it is read and another when it is written would need two names.
    #[test]
    fn what_is_read_and_written_looks_the_same() {
        let mut writer = Writer::new();
        operations(&mut writer);
        let read = writer.requests.take_definitions(true);
        let written = writer.answers.take_definitions(true);
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
