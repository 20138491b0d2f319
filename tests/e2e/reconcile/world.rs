//! A table and a bucket of a test's own, with the real functions at work in them: the reconciler looks at everything
//! there is, and other tests' things are none of its business.

use crate::harness::bytes::unique;
use crate::harness::http::Answer;
use crate::harness::person::{Person, content_id};
use crate::harness::proxy::{Act, Seen};
use crate::harness::sandbox::{Sandbox, http_event};
use crate::harness::signed::send_signed;
use crate::harness::stack::stack;
use bytes::Bytes;
use domain::content::PartDigest;
use serde_json::{Value, json};

/// A key of ours that nobody has used.
pub(super) fn new_key() -> String {
    format!("blobs/{:032x}", unique())
}

/// An answer of a function behind the gateway.
pub(super) struct Said {
    pub(super) status: u64,
    pub(super) body: Value,
}

/// A file or an upload, and where its bytes are.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) upload: String,
    pub(super) blob: String,
}

impl Sent {
    pub(super) fn key(&self) -> String {
        format!("blobs/{}", self.blob)
    }

    /// The partition of everything that is written about its bytes.
    pub(super) fn partition(&self) -> String {
        format!("BLOB#{}", self.blob)
    }
}

/// A table and a bucket, both of this name.
pub(super) struct World {
    name: String,
    person: Person,
    create: Sandbox,
    sign: Sandbox,
    complete: Sandbox,
}

impl World {
    /// With an account in it, and nothing else.
    pub(super) async fn new() -> Self {
        let name = format!("e2e-{:x}", unique());
        let about = dynamodb("DescribeTable", &json!({ "TableName": stack().table })).await;
        let like = &about["Table"];
        let index = &like["GlobalSecondaryIndexes"][0];
        let table = json!({
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": like["AttributeDefinitions"],
            "KeySchema": like["KeySchema"],
            "GlobalSecondaryIndexes": [{
                "IndexName": index["IndexName"],
                "KeySchema": index["KeySchema"],
                "Projection": index["Projection"],
            }],
        });
        dynamodb("CreateTable", &table).await;
        s3("PUT", &format!("/{name}"), "").await.expect(200);
        let person = Person::not_signed_in().await;
        let account = json!({ "TableName": stack().table, "Key": key(&person.partition(), "ACCOUNT") });
        let account = dynamodb("GetItem", &account).await;
        dynamodb("PutItem", &json!({ "TableName": name, "Item": account["Item"] })).await;
        let [create, sign, complete] = ["upload-create", "upload-sign-parts", "upload-complete"];
        Self {
            create: function(&name, create, |_| Act::Pass, &[]).await,
            sign: function(&name, sign, |_| Act::Pass, &[]).await,
            complete: function(&name, complete, |_| Act::Pass, &[]).await,
            name,
            person,
        }
    }

    /// A function that sees this world.
    pub(super) async fn function(
        &self,
        function_name: &str,
        rule: impl Fn(&Seen) -> Act + Send + Sync + 'static,
    ) -> Sandbox {
        function(&self.name, function_name, rule, &[]).await
    }

    /// A reconciler that leaves nothing alone because it is young, and does not wait between passes.
    pub(super) async fn reconciler(&self, rule: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Sandbox {
        let impatient = [
            ("RECONCILE_MIN_AGE_SECONDS", "0"),
            ("RECONCILE_INTERVAL_HOURS", "0"),
        ];
        function(&self.name, "reconcile", rule, &impatient).await
    }

    /// A whole pass, as long as a world is small.
    pub(super) async fn reconcile(&self) -> Value {
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
    pub(super) async fn open(&mut self, name: &str, bytes: &[u8]) -> Sent {
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
    pub(super) async fn create(&mut self, body: &Value) -> Said {
        let event = http_event("POST", "/v1/uploads", None, &self.person.token, Some(body));
        said(&self.create.invoke(&event).await.unwrap())
    }

    /// Sends the bytes of an upload, all in one part.
    pub(super) async fn send(&mut self, upload: &str, bytes: &[u8]) -> Sent {
        let body = json!({ "parts": [{ "number": 1, "sha256": PartDigest::of(bytes) }] });
        let (token, path) = (&self.person.token, "/v1/uploads/{id}/parts");
        let event = http_event("POST", path, Some(upload), token, Some(&body));
        let signed = said(&self.sign.invoke(&event).await.unwrap());
        assert_eq!(signed.status, 200, "{}", signed.body);
        let part = serde_json::from_value(signed.body["parts"][0].clone()).unwrap();
        let sent = crate::harness::person::put(&part, Bytes::copy_from_slice(bytes)).await;
        sent.expect(200);
        let row = self.upload_row(upload).await;
        Sent {
            upload: upload.to_owned(),
            blob: row["blob"].as_str().unwrap().to_owned(),
        }
    }

    /// Asks to finalize.
    pub(super) async fn complete(&mut self, sent: &Sent) -> Said {
        let (token, path) = (&self.person.token, "/v1/uploads/{id}/complete");
        let event = http_event("POST", path, Some(&sent.upload), token, None);
        said(&self.complete.invoke(&event).await.unwrap())
    }

    /// A file with these bytes, which nobody has yet.
    pub(super) async fn store(&mut self, name: &str, bytes: &[u8]) -> Sent {
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
    pub(super) async fn delete_file(&self, sent: &Sent) {
        let node = self.upload_row(&sent.upload).await["node"].clone();
        let (token, path) = (&self.person.token, "/v1/files/{id}");
        let event = http_event("DELETE", path, Some(node.as_str().unwrap()), token, None);
        let mut function = self.function("file-delete", |_| Act::Pass).await;
        assert_eq!(said(&function.invoke(&event).await.unwrap()).status, 204);
    }

    /// Gives an upload up.
    pub(super) async fn abort(&self, sent: &Sent) {
        let (token, path) = (&self.person.token, "/v1/uploads/{id}");
        let event = http_event("DELETE", path, Some(&sent.upload), token, None);
        let mut function = self.function("upload-abort", |_| Act::Pass).await;
        assert_eq!(said(&function.invoke(&event).await.unwrap()).status, 204);
    }

    pub(super) async fn upload_row(&self, upload: &str) -> Value {
        let row = self
            .item(&self.person.partition(), &format!("UPLOAD#{upload}"))
            .await;
        row.unwrap_or_else(|| panic!("there is no upload {upload}"))
    }

    /// The row of the content that these bytes have.
    pub(super) async fn content_row(&self, bytes: &[u8]) -> Option<Value> {
        self.item(&format!("CONTENT#{}", content_id(bytes)), "CONTENT")
            .await
    }

    /// One item.
    pub(super) async fn item(&self, pk: &str, sk: &str) -> Option<Value> {
        crate::harness::aws::item_of(&self.name, pk, sk).await
    }

    /// The sort keys of a partition.
    pub(super) async fn sort_keys(&self, pk: &str) -> Vec<String> {
        let query = json!({
            "TableName": self.name,
            "ConsistentRead": true,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": { ":pk": { "S": pk } },
        });
        let answer = dynamodb("Query", &query).await;
        let items = answer["Items"].as_array().unwrap().iter();
        items
            .map(|item| item["sk"]["S"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Deletes an item behind everybody's back.
    pub(super) async fn lose_item(&self, pk: &str, sk: &str) {
        dynamodb(
            "DeleteItem",
            &json!({ "TableName": self.name, "Key": key(pk, sk) }),
        )
        .await;
    }

    /// Has the next sweep look at a blob.
    pub(super) async fn make_due(&self, pk: &str) {
        let update = json!({
            "TableName": self.name,
            "Key": key(pk, "BLOB"),
            "UpdateExpression": "SET due_at = :past",
            "ConditionExpression": "attribute_exists(due_at)",
            "ExpressionAttributeValues": { ":past": { "N": "1577836800" } },
        });
        dynamodb("UpdateItem", &update).await;
    }

    /// Writes items whose attributes are all texts.
    pub(super) async fn put_items(&self, items: &[Value]) {
        for batch in items.chunks(25) {
            let typed = |item: &Value| -> Value {
                let texts = item.as_object().unwrap().iter();
                texts
                    .map(|(name, text)| (name.clone(), json!({ "S": text })))
                    .collect()
            };
            let puts: Vec<_> = batch
                .iter()
                .map(|item| json!({ "PutRequest": { "Item": typed(item) } }))
                .collect();
            let request = json!({ "RequestItems": { self.name.as_str(): puts } });
            dynamodb("BatchWriteItem", &request).await;
        }
    }

    /// Has the reconciler go on after this multipart upload.
    pub(super) async fn go_on_after(&self, key: &str, id: &str) {
        let after = json!({ "M": { "key": { "S": key }, "id": { "S": id } } });
        let place = json!({ "M": { "phase": { "S": "multiparts" }, "after": after } });
        let started_at = json!({ "S": "2026-01-02T03:04:05Z" });
        let pass = json!({ "M": { "started_at": started_at, "place": place, "counts": { "M": {} } } });
        let item = json!({
            "pk": { "S": "RECONCILE" },
            "sk": { "S": "RECONCILE" },
            "progress": { "M": { "under_way": pass } },
            "version": { "N": "1" },
        });
        dynamodb("PutItem", &json!({ "TableName": self.name, "Item": item })).await;
    }

    /// A request to the bucket; `path` is a key with a query, or only a query.
    pub(super) async fn bucket(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Answer {
        s3(method, &format!("/{}{path}", self.name), body).await
    }

    pub(super) async fn put_object(&self, key: &str, bytes: &[u8]) {
        let bytes = Bytes::copy_from_slice(bytes);
        self.bucket("PUT", &format!("/{key}"), bytes).await.expect(200);
    }

    pub(super) async fn lose_object(&self, key: &str) {
        self.bucket("DELETE", &format!("/{key}"), "").await.expect(204);
    }

    pub(super) async fn has_object(&self, key: &str) -> bool {
        self.bucket("HEAD", &format!("/{key}"), "").await.status == 200
    }

    /// Begins a multipart upload as clients of Longshore never could, and gives its id.
    pub(super) async fn begin_multipart(&self, key: &str) -> String {
        let headers = [
            ("x-amz-checksum-algorithm", "SHA256"),
            ("x-amz-checksum-type", "COMPOSITE"),
        ];
        let url = format!("{}/{}/{key}?uploads=", stack().url_of("s3"), self.name);
        let text = send_signed("s3", "POST", &url, &headers, "")
            .await
            .expect(200)
            .text();
        between(&text, "UploadId").remove(0)
    }

    /// The ids of the multipart uploads whose keys begin with `prefix`.
    pub(super) async fn multiparts(&self, prefix: &str) -> Vec<String> {
        let text = self
            .bucket("GET", &format!("?prefix={prefix}&uploads="), "")
            .await
            .expect(200)
            .text();
        between(&text, "UploadId")
    }

    /// The keys in the bucket.
    pub(super) async fn keys(&self) -> Vec<String> {
        between(
            &self.bucket("GET", "?list-type=2", "").await.expect(200).text(),
            "Key",
        )
    }

    /// Makes an object of one part as it was made the first time.
    pub(super) async fn put_back(&self, key: &str, bytes: &[u8]) {
        let id = self.begin_multipart(key).await;
        let digest = PartDigest::of(bytes).to_string();
        let url = format!("{}/{}/{key}", stack().url_of("s3"), self.name);
        let part = format!("{url}?partNumber=1&uploadId={id}");
        let checksum = [("x-amz-checksum-sha256", digest.as_str())];
        let bytes = Bytes::copy_from_slice(bytes);
        let sent = send_signed("s3", "PUT", &part, &checksum, bytes)
            .await
            .expect(200);
        let parts = format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag>\
             <ChecksumSHA256>{digest}</ChecksumSHA256></Part></CompleteMultipartUpload>",
            sent.header("etag")
        );
        let whole = format!("{url}?uploadId={id}");
        send_signed("s3", "POST", &whole, &[], parts).await.expect(200);
    }

    /// Removes it all.
    pub(super) async fn remove(self) {
        dynamodb("DeleteTable", &json!({ "TableName": self.name })).await;
        let text = self.bucket("GET", "?uploads=", "").await.expect(200).text();
        for (key, id) in between(&text, "Key").iter().zip(between(&text, "UploadId")) {
            self.bucket("DELETE", &format!("/{key}?uploadId={id}"), "")
                .await
                .expect(204);
        }
        for key in self.keys().await {
            self.lose_object(&key).await;
        }
        self.bucket("DELETE", "", "").await.expect(204);
    }
}

/// What the schedule says.
pub(super) fn schedule() -> Value {
    json!({ "source": "aws.events" })
}

async fn function(
    world: &str,
    name: &str,
    rule: impl Fn(&Seen) -> Act + Send + Sync + 'static,
    more: &[(&str, &str)],
) -> Sandbox {
    // Without targets nobody is told of files that the deployed workers know nothing about.
    let own = [
        ("TABLE_NAME", world),
        ("BUCKET_NAME", world),
        ("REPLICA_TARGETS", ""),
    ];
    let environment = [&own, more].concat();
    Sandbox::start_with(name, rule, &environment).await
}

fn said(answer: &Value) -> Said {
    let status = answer["statusCode"].as_u64();
    let body = answer["body"].as_str().unwrap_or_default();
    Said {
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

async fn s3(method: &str, path: &str, body: impl Into<Bytes>) -> Answer {
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
