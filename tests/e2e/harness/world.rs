//! A table, a bucket, queues and a targets secret of a test's own, with the real functions at work in them: the reconciler
//! looks at everything there is, and other tests' things are none of its business.

mod bucket;
mod rows;
mod targets;

use super::aws;
use super::bytes::{PART, unique};
use super::http::HttpResponse;
use super::person::Person;
use super::proxy::{Act, Seen};
use super::sandbox::{Sandbox, http_event, with_query};
use super::signed::send_signed;
use super::stack::stack;
use super::workers::Queues;
use bytes::Bytes;
use domain::content::PartDigest;
use serde_json::{Value, json};

/// A key of ours that nobody has used.
pub(crate) fn new_key() -> String {
    format!("blobs/{:032x}", unique())
}

/// An answer of a function behind the gateway.
pub(crate) struct FunctionAnswer {
    pub(crate) status: u64,
    pub(crate) body: Value,
}

/// A file or an upload, and where its bytes are.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) upload: String,
    pub(crate) blob: String,
}

impl Sent {
    pub(crate) fn key(&self) -> String {
        format!("blobs/{}", self.blob)
    }

    /// The partition of everything that is written about its bytes.
    pub(crate) fn partition(&self) -> String {
        format!("BLOB#{}", self.blob)
    }
}

/// A table and a bucket, both of this name.
pub(crate) struct World {
    name: String,
    pub(crate) person: Person,
    secret: String,
    pub(crate) queues: Queues,
    /// Buckets that are targets.
    buckets: Vec<String>,
    create: Sandbox,
    sign: Sandbox,
    complete: Sandbox,
}

impl World {
    /// With an account in it, and nothing else.
    pub(crate) async fn new() -> Self {
        let name = format!("e2e-{:x}", unique());
        make_table(&name).await;
        s3("PUT", &format!("/{name}"), "").await.expect(200);
        let person = Person::not_signed_in().await;
        // The account, and that it is signed in.
        let all = json!({
            "TableName": stack().table, "ConsistentRead": true, "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": { ":pk": { "S": person.partition() } },
        });
        let answer = dynamodb("Query", &all).await;
        let format = aws::typed_item(&aws::item("FORMAT", "FORMAT").await.unwrap());
        for item in answer["Items"].as_array().unwrap().iter().chain([&format]) {
            dynamodb("PutItem", &json!({ "TableName": name, "Item": item })).await;
        }
        let secret = aws::new_secret(&name, &json!({ "targets": [] })).await;
        let queues = Queues::new().await;
        let start = async |function_name: &str| {
            let environment = environment(&name, &secret, &queues);
            Sandbox::start_with(function_name, |_| Act::Pass, &environment).await
        };
        Self {
            create: start("upload-create").await,
            sign: start("upload-sign-parts").await,
            complete: start("upload-complete").await,
            name,
            person,
            secret,
            queues,
            buckets: Vec::new(),
        }
    }

    /// The environment of functions that use this world.
    fn environment(&self) -> Vec<(&str, &str)> {
        environment(&self.name, &self.secret, &self.queues)
    }

    /// A function that sees this world.
    pub(crate) async fn function(
        &self,
        function_name: &str,
        rule: impl Fn(&Seen) -> Act + Send + Sync + 'static,
    ) -> Sandbox {
        Sandbox::start_with(function_name, rule, &self.environment()).await
    }

    /// The same with something else in its environment.
    pub(crate) async fn function_with(&self, function_name: &str, more: &[(&str, &str)]) -> Sandbox {
        let environment = [&self.environment()[..], more].concat();
        Sandbox::start_with(function_name, |_| Act::Pass, &environment).await
    }

    /// A reconciler that skips nothing because it is young, does not wait between passes, and checks everything.
    pub(crate) async fn reconciler(&self, rule: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Sandbox {
        self.reconciler_of_one_in("1", rule).await
    }

    /// The same, asking for one in so many blobs and replicas.
    pub(crate) async fn reconciler_of_one_in(
        &self,
        sample: &str,
        rule: impl Fn(&Seen) -> Act + Send + Sync + 'static,
    ) -> Sandbox {
        let impatient = [
            ("RECONCILE_MIN_AGE_SECONDS", "0"),
            ("RECONCILE_INTERVAL_HOURS", "0"),
            ("RECONCILE_SAMPLE", sample),
        ];
        let environment = [&self.environment()[..], &impatient].concat();
        Sandbox::start_with("reconcile", rule, &environment).await
    }

    /// A whole pass, as long as a world is small.
    pub(crate) async fn reconcile(&self) -> Value {
        let mut reconciler = self.reconciler(|_| Act::Pass).await;
        let report = reconciler.invoke(&schedule()).await.unwrap();
        assert_eq!(
            (&report["state"], &report["failed"]),
            (&json!("ended"), &json!(0)),
            "{report}"
        );
        report
    }

    /// An upload with its bytes at the store, and nothing but them.
    pub(crate) async fn open(&mut self, name: &str, bytes: &[u8]) -> Sent {
        let body = json!({ "name": name, "size": bytes.len() });
        let upload = self.create(&body).await;
        assert_eq!(
            (upload.status, &upload.body["state"]),
            (201, &json!("open")),
            "{}",
            upload.body
        );
        self.send(upload.body["id"].as_str().unwrap(), bytes).await
    }

    /// Asks for an upload.
    pub(crate) async fn create(&mut self, body: &Value) -> FunctionAnswer {
        let event = http_event("upload-create", None, &self.person.token, Some(body));
        said(&self.create.invoke(&event).await.unwrap())
    }

    /// Sends the bytes of an upload.
    pub(crate) async fn send(&mut self, upload: &str, bytes: &[u8]) -> Sent {
        // Nothing is a part, too.
        let parts: Vec<&[u8]> = if bytes.is_empty() {
            vec![bytes]
        } else {
            bytes.chunks(PART).collect()
        };
        for (number, part) in (1..).zip(parts) {
            self.send_part(upload, number, part).await;
        }
        let row = self.upload_row(upload).await;
        Sent {
            upload: upload.to_owned(),
            blob: row["blob"].as_str().unwrap().to_owned(),
        }
    }

    async fn send_part(&mut self, upload: &str, number: u32, part: &[u8]) {
        let body = json!({ "parts": [{ "number": number, "sha256": PartDigest::of(part) }] });
        let token = &self.person.token;
        let event = http_event("upload-sign-parts", Some(upload), token, Some(&body));
        let signed = said(&self.sign.invoke(&event).await.unwrap());
        assert_eq!(signed.status, 200, "{}", signed.body);
        let signed = serde_json::from_value(signed.body["parts"][0].clone()).unwrap();
        let sent = super::person::put(&signed, Bytes::copy_from_slice(part)).await;
        sent.expect(200);
    }

    /// Asks to finalize.
    pub(crate) async fn complete(&mut self, sent: &Sent) -> FunctionAnswer {
        let token = &self.person.token;
        let event = http_event("upload-complete", Some(&sent.upload), token, None);
        said(&self.complete.invoke(&event).await.unwrap())
    }

    /// A file with these bytes, which nobody has yet.
    pub(crate) async fn store(&mut self, name: &str, bytes: &[u8]) -> Sent {
        let sent = self.open(name, bytes).await;
        let done = self.complete(&sent).await;
        assert_eq!(done.status, 200, "{}", done.body);
        assert!(
            self.item(&sent.partition(), "BLOB").await.is_some(),
            "its object is the blob"
        );
        sent
    }

    /// Deletes the file that came of an upload.
    pub(crate) async fn delete_file(&self, sent: &Sent) {
        let node = self.upload_row(&sent.upload).await["node"].clone();
        let token = &self.person.token;
        let event = http_event("file-delete", Some(node.as_str().unwrap()), token, None);
        let event = with_query(event, "permanently", "true");
        let mut function = self.function("file-delete", |_| Act::Pass).await;
        assert_eq!(said(&function.invoke(&event).await.unwrap()).status, 204);
    }

    /// Aborts an upload.
    pub(crate) async fn abort(&self, sent: &Sent) {
        let token = &self.person.token;
        let event = http_event("upload-abort", Some(&sent.upload), token, None);
        let mut function = self.function("upload-abort", |_| Act::Pass).await;
        assert_eq!(said(&function.invoke(&event).await.unwrap()).status, 204);
    }

    /// Removes it all.
    pub(crate) async fn remove(self) {
        dynamodb("DeleteTable", &json!({ "TableName": self.name })).await;
        let text = self.bucket("GET", "?uploads=", "").await.expect(200).text();
        for (key, id) in between(&text, "Key").iter().zip(between(&text, "UploadId")) {
            self.bucket("DELETE", &format!("/{key}?uploadId={id}"), "")
                .await
                .expect(204);
        }
        for bucket in self.buckets.iter().chain([&self.name]) {
            let listed = s3("GET", &format!("/{bucket}?list-type=2"), "").await.expect(200);
            for key in between(&listed.text(), "Key") {
                s3("DELETE", &format!("/{bucket}/{key}"), "").await.expect(204);
            }
            s3("DELETE", &format!("/{bucket}"), "").await.expect(204);
        }
        aws::delete_secret(&self.secret).await;
        self.queues.delete().await;
    }
}

/// What the schedule says.
pub(crate) fn schedule() -> Value {
    json!({ "source": "aws.events" })
}

fn environment<'a>(world: &'a str, secret: &'a str, queues: &'a Queues) -> Vec<(&'a str, &'a str)> {
    let mut environment = queues.environment().to_vec();
    environment.extend([
        ("TABLE_NAME", world),
        ("BUCKET_NAME", world),
        ("TARGETS_SECRET_ID", secret),
    ]);
    environment
}

/// A table like that of the stack.
async fn make_table(name: &str) {
    let about = dynamodb("DescribeTable", &json!({ "TableName": stack().table })).await;
    let like = &about["Table"];
    let index = |index: &Value| {
        json!({
            "IndexName": index["IndexName"], "KeySchema": index["KeySchema"], "Projection": index["Projection"],
        })
    };
    let indexes: Vec<Value> = like["GlobalSecondaryIndexes"]
        .as_array()
        .unwrap()
        .iter()
        .map(index)
        .collect();
    let table = json!({
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": like["AttributeDefinitions"],
        "KeySchema": like["KeySchema"],
        "GlobalSecondaryIndexes": indexes,
    });
    dynamodb("CreateTable", &table).await;
}

fn said(answer: &Value) -> FunctionAnswer {
    let status = answer["statusCode"].as_u64();
    let body = answer["body"].as_str().unwrap_or_default();
    FunctionAnswer {
        status: status.unwrap_or_else(|| panic!("no HTTP answer: {answer}")),
        body: serde_json::from_str(body).unwrap_or_default(),
    }
}

fn key(pk: &str, sk: &str) -> Value {
    json!({ "pk": { "S": pk }, "sk": { "S": sk } })
}

async fn dynamodb(operation: &str, body: &Value) -> Value {
    let target = format!("DynamoDB_20120810.{operation}");
    let headers = [
        ("x-amz-target", target.as_str()),
        ("content-type", "application/x-amz-json-1.0"),
    ];
    let url = format!("{}/", stack().url_of("dynamodb"));
    let answer = send_signed("dynamodb", "POST", &url, &headers, body.to_string()).await;
    answer.expect(200).json()
}

async fn s3(method: &str, path: &str, body: impl Into<Bytes>) -> HttpResponse {
    let url = format!("{}{path}", stack().url_of("s3"));
    send_signed("s3", method, &url, &[], body).await
}

/// What is within the elements of this name.
fn between(document: &str, element: &str) -> Vec<String> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let pieces = document.split(&open).skip(1);
    pieces
        .filter_map(|piece| Some(piece.split_once(&close)?.0.to_owned()))
        .collect()
}
