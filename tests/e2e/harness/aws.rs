//! A look behind the API: what is written in the table, stored in the bucket, waiting in the queues.

use super::bytes::unique;
use super::http::Answer;
use super::signed::send_signed;
use super::stack::stack;
use aws_credential_types::Credentials;
use futures::future::join_all;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// A call to a service that speaks JSON, which must go well.
pub(crate) async fn call(service: &str, target: &str, body: &Value) -> Value {
    let headers = [
        ("x-amz-target", target),
        ("content-type", "application/x-amz-json-1.0"),
    ];
    let url = format!("{}/", stack().url_of(service));
    let answer = send_signed(service, "POST", &url, &headers, body.to_string()).await;
    assert_eq!(answer.status, 200, "{target} {body}: {}", answer.text());
    if answer.body.is_empty() {
        Value::Null
    } else {
        answer.json()
    }
}

/// An item's attributes without their types.
fn plain(value: &Value) -> Value {
    let Some((kind, inner)) = value.as_object().and_then(|typed| typed.iter().next()) else {
        return Value::Null;
    };
    match kind.as_str() {
        "N" => serde_json::from_str(inner.as_str().unwrap()).unwrap(),
        "L" => inner.as_array().unwrap().iter().map(plain).collect(),
        "M" => plain_item(inner),
        "NULL" => Value::Null,
        _ => inner.clone(),
    }
}

fn plain_item(item: &Value) -> Value {
    let item = item.as_object().unwrap().iter();
    Value::Object(item.map(|(name, value)| (name.clone(), plain(value))).collect())
}

fn typed(value: &Value) -> Value {
    match value {
        Value::String(text) => json!({ "S": text }),
        Value::Number(number) => json!({ "N": number.to_string() }),
        Value::Bool(bool) => json!({ "BOOL": bool }),
        Value::Null => json!({ "NULL": true }),
        Value::Array(values) => json!({ "L": values.iter().map(typed).collect::<Vec<_>>() }),
        Value::Object(members) => {
            let members: Map<_, _> = members
                .iter()
                .map(|(name, value)| (name.clone(), typed(value)))
                .collect();
            json!({ "M": members })
        }
    }
}

fn key(pk: &str, sk: &str) -> Value {
    json!({ "pk": { "S": pk }, "sk": { "S": sk } })
}

/// All items of a partition whose sort keys begin with `prefix`.
pub(crate) async fn items(pk: &str, prefix: &str) -> Vec<Value> {
    items_in(&stack().table, pk, prefix).await
}

/// The parts of a target's tally, in any table.
pub(crate) async fn tally_in(table: &str, target: &str) -> Vec<Value> {
    let parts =
        (0..16).map(async |part| items_in(table, &format!("TARGET#{target}#{part:02}"), "TALLY").await);
    join_all(parts).await.concat()
}

/// The same of any table.
pub(crate) async fn items_in(table: &str, pk: &str, prefix: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut start = Value::Null;
    loop {
        let mut query = json!({
            "TableName": table,
            "ConsistentRead": true,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": { ":pk": { "S": pk } },
        });
        if !prefix.is_empty() {
            // An empty text is no key.
            query["KeyConditionExpression"] = json!("pk = :pk AND begins_with(sk, :prefix)");
            query["ExpressionAttributeValues"][":prefix"] = json!({ "S": prefix });
        }
        if !start.is_null() {
            query["ExclusiveStartKey"] = start;
        }
        let answer = call("dynamodb", "DynamoDB_20120810.Query", &query).await;
        found.extend(answer["Items"].as_array().unwrap().iter().map(plain_item));
        start = answer["LastEvaluatedKey"].clone();
        if start.is_null() {
            return found;
        }
    }
}

/// All items of the table with this sort key.
pub(crate) async fn scan(sk: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut start = Value::Null;
    loop {
        let mut scan = json!({
            "TableName": stack().table,
            "ConsistentRead": true,
            "FilterExpression": "sk = :sk",
            "ExpressionAttributeValues": { ":sk": { "S": sk } },
        });
        if !start.is_null() {
            scan["ExclusiveStartKey"] = start;
        }
        let answer = call("dynamodb", "DynamoDB_20120810.Scan", &scan).await;
        found.extend(answer["Items"].as_array().unwrap().iter().map(plain_item));
        start = answer["LastEvaluatedKey"].clone();
        if start.is_null() {
            return found;
        }
    }
}

/// All items of a partition.
pub(crate) async fn partition(pk: &str) -> Vec<Value> {
    items(pk, "").await
}

/// One item.
pub(crate) async fn item(pk: &str, sk: &str) -> Option<Value> {
    item_of(&stack().table, pk, sk).await
}

/// One item of any table.
pub(crate) async fn item_of(table: &str, pk: &str, sk: &str) -> Option<Value> {
    let request = json!({ "TableName": table, "Key": key(pk, sk), "ConsistentRead": true });
    let answer = call("dynamodb", "DynamoDB_20120810.GetItem", &request).await;
    answer.get("Item").map(plain_item)
}

/// Overwrites attributes of an item that exists.
pub(crate) async fn set(pk: &str, sk: &str, attributes: &Value) {
    set_in(&stack().table, pk, sk, attributes).await;
}

/// The same in any table.
pub(crate) async fn set_in(table: &str, pk: &str, sk: &str, attributes: &Value) {
    let attributes = attributes.as_object().unwrap();
    let (mut names, mut values, mut sets) = (Map::new(), Map::new(), Vec::new());
    for (index, (name, value)) in attributes.iter().enumerate() {
        names.insert(format!("#n{index}"), json!(name));
        values.insert(format!(":v{index}"), typed(value));
        sets.push(format!("#n{index} = :v{index}"));
    }
    let request = json!({
        "TableName": table,
        "Key": key(pk, sk),
        "UpdateExpression": format!("SET {}", sets.join(", ")),
        "ConditionExpression": "attribute_exists(pk)",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    });
    call("dynamodb", "DynamoDB_20120810.UpdateItem", &request).await;
}

/// Writes an item.
pub(crate) async fn put(item: &Value) {
    put_in(&stack().table, item).await;
}

/// An item as DynamoDB has it.
pub(crate) fn typed_item(item: &Value) -> Value {
    let attributes = item.as_object().unwrap().iter();
    attributes
        .map(|(name, value)| (name.clone(), typed(value)))
        .collect()
}

/// The same into any table.
pub(crate) async fn put_in(table: &str, item: &Value) {
    let request = json!({ "TableName": table, "Item": typed_item(item) });
    call("dynamodb", "DynamoDB_20120810.PutItem", &request).await;
}

/// Sends a text to the replication queue that it belongs to: segments have one of their own.
pub(crate) async fn send_message(body: &str) {
    let message: Value = serde_json::from_str(body).unwrap_or_default();
    let queue = if message["step"] == "copy" {
        &stack().copy_queue_url
    } else {
        &stack().queue_url
    };
    let request = json!({ "QueueUrl": queue, "MessageBody": body });
    call("sqs", "AmazonSQS.SendMessage", &request).await;
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeadLetter {
    pub(crate) body: String,
    /// Why; nothing if the queue itself moved it.
    pub(crate) reason: String,
    /// How often it was tried.
    pub(crate) tried: String,
}

/// All dead letters that were ever seen. They are back in their queue after a few seconds.
pub(crate) async fn dead_letters() -> Vec<DeadLetter> {
    // `.config/nextest.toml` lets no two tests read at the same time: they would make letters invisible to each other.
    static SEEN: tokio::sync::Mutex<Vec<DeadLetter>> = tokio::sync::Mutex::const_new(Vec::new());
    let mut seen = SEEN.lock().await;
    let request = json!({
        "QueueUrl": stack().dlq_url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 3,
        "MessageAttributeNames": ["All"],
    });
    loop {
        let answer = call("sqs", "AmazonSQS.ReceiveMessage", &request).await;
        let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
        let before = seen.len();
        for letter in messages.iter().map(dead_letter) {
            if !seen.contains(&letter) {
                seen.push(letter);
            }
        }
        if seen.len() == before {
            return seen.clone();
        }
    }
}

fn dead_letter(message: &Value) -> DeadLetter {
    let attribute = |name: &str| {
        let value = message["MessageAttributes"][name]["StringValue"].as_str();
        value.unwrap_or_default().to_owned()
    };
    DeadLetter {
        body: message["Body"].as_str().unwrap().to_owned(),
        reason: attribute("reason"),
        tried: attribute("tried"),
    }
}

/// A secret that is JSON.
pub(crate) async fn secret(id: &str) -> Value {
    let answer = call(
        "secretsmanager",
        "secretsmanager.GetSecretValue",
        &json!({ "SecretId": id }),
    )
    .await;
    serde_json::from_str(answer["SecretString"].as_str().unwrap()).unwrap()
}

/// Creates a secret that is JSON, and returns its id.
pub(crate) async fn new_secret(name: &str, value: &Value) -> String {
    let request = json!({
        "Name": name, "SecretString": value.to_string(), "ClientRequestToken": format!("{:032x}", unique()),
    });
    let made = call("secretsmanager", "secretsmanager.CreateSecret", &request).await;
    made["ARN"].as_str().unwrap().to_owned()
}

/// Deletes a secret.
pub(crate) async fn delete_secret(id: &str) {
    let request = json!({ "SecretId": id, "ForceDeleteWithoutRecovery": true });
    call("secretsmanager", "secretsmanager.DeleteSecret", &request).await;
}

/// Replaces a secret.
pub(crate) async fn put_secret(id: &str, value: &Value) {
    let request = json!({
        "SecretId": id,
        "SecretString": value.to_string(),
        // SDKs make one up; without an SDK it must be there.
        "ClientRequestToken": format!("{:032x}", unique()),
    });
    call("secretsmanager", "secretsmanager.PutSecretValue", &request).await;
}

/// Names and values.
pub(crate) type Environment = Vec<(String, String)>;

/// How a function is deployed.
#[derive(Clone)]
pub(crate) struct Deployed {
    pub(crate) environment: Environment,
    /// The ARN of its role.
    pub(crate) role: String,
    pub(crate) memory_mib: u64,
}

/// The environment that a function is deployed with.
pub(crate) async fn function_environment(function: &str) -> Environment {
    deployed(function).await.environment
}

/// How a function is deployed. It is asked for once.
pub(crate) async fn deployed(function: &str) -> Deployed {
    static KNOWN: Mutex<BTreeMap<String, Deployed>> = Mutex::new(BTreeMap::new());
    let known = KNOWN.lock().unwrap().get(function).cloned();
    match known {
        Some(known) => known,
        None => {
            let deployed = configuration(function).await;
            let deployed = Deployed {
                environment: deployed["Environment"]["Variables"]
                    .as_object()
                    .unwrap()
                    .iter()
                    .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                    .collect(),
                role: deployed["Role"].as_str().unwrap().to_owned(),
                memory_mib: deployed["MemorySize"].as_u64().unwrap(),
            };
            KNOWN
                .lock()
                .unwrap()
                .insert(function.to_owned(), deployed.clone());
            deployed
        }
    }
}

async fn configuration(function: &str) -> Value {
    let name = stack().functions.get(function);
    let name = name.unwrap_or_else(|| panic!("{function} is not deployed"));
    let lambda = stack().url_of("lambda");
    let url = format!("{lambda}/2015-03-31/functions/{name}/configuration");
    let answer = send_signed("lambda", "GET", &url, &[], "").await;
    answer.expect(200).json()
}

/// A call to a service that speaks the query protocol and answers in XML.
async fn query(service: &str, parameters: &str) -> String {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let url = format!("{}/", stack().url_of(service));
    let answer = send_signed(service, "POST", &url, &headers, parameters.to_owned()).await;
    answer.expect(200).text()
}

/// The credentials that Lambda gives a function: those of its role, for as long as any test run lasts.
pub(crate) async fn credentials_of(role: &str) -> Credentials {
    let parameters = format!(
        "Action=AssumeRole&Version=2011-06-15&RoleSessionName=e2e&DurationSeconds=43200&RoleArn={role}"
    );
    let answer = query("sts", &parameters).await;
    let one = |name: &str| all_between(&answer, &format!("<{name}>"), &format!("</{name}>")).remove(0);
    Credentials::new(
        one("AccessKeyId"),
        one("SecretAccessKey"),
        Some(one("SessionToken")),
        None,
        "role",
    )
}

/// A call to IAM.
pub(crate) async fn iam_query(parameters: &str) -> String {
    query("iam", parameters).await
}

/// The policies that are written into a role.
pub(crate) async fn policies_of(role: &str) -> Vec<Value> {
    let about = format!("Version=2010-05-08&RoleName={}", role.rsplit('/').next().unwrap());
    let names = iam_query(&format!("Action=ListRolePolicies&{about}")).await;
    let mut policies = Vec::new();
    for name in all_between(&names, "<member>", "</member>") {
        let policy = iam_query(&format!("Action=GetRolePolicy&PolicyName={name}&{about}")).await;
        let document = all_between(&policy, "<PolicyDocument>", "</PolicyDocument>").remove(0);
        let document = percent_decode_str(&document).decode_utf8().unwrap();
        policies.push(serde_json::from_str(&document).unwrap());
    }
    policies
}

/// A text as a value in a form.
pub(crate) fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Invokes a function that is not behind the gateway. Returns its answer, or its error.
pub(crate) async fn invoke(function: &str, payload: &Value) -> Result<Value, Value> {
    let name = stack().functions.get(function);
    let name = name.unwrap_or_else(|| panic!("{function} is not deployed"));
    let lambda = stack().url_of("lambda");
    let url = format!("{lambda}/2015-03-31/functions/{name}/invocations");
    let answer = send_signed("lambda", "POST", &url, &[], payload.to_string()).await;
    let failed = !answer.header("x-amz-function-error").is_empty();
    let said = answer.expect(200).json();
    if failed { Err(said) } else { Ok(said) }
}

/// A request to the primary bucket; `path` is a key with a query, or only a query.
async fn s3(method: &str, path: &str) -> Answer {
    s3_with(method, path, "").await
}

async fn s3_with(method: &str, path: &str, body: impl Into<bytes::Bytes>) -> Answer {
    let url = format!("{}/{}{path}", stack().url_of("s3"), stack().bucket);
    send_signed("s3", method, &url, &[], body).await
}

/// An object's bytes; `None` when there is no such object.
pub(crate) async fn object(key: &str) -> Option<bytes::Bytes> {
    let answer = s3("GET", &format!("/{key}")).await;
    if answer.status == 404 {
        return None;
    }
    Some(answer.expect(200).body)
}

/// Replaces an object behind everybody's back, as a failing disk would.
pub(crate) async fn spoil_object(key: &str) {
    let mut bytes = object(key).await.unwrap().to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    s3_with("PUT", &format!("/{key}"), bytes).await.expect(200);
}

/// Deletes an object behind everybody's back.
pub(crate) async fn lose_object(key: &str) {
    s3("DELETE", &format!("/{key}")).await.expect(204);
}

/// The ids of the multipart uploads under way for a key.
pub(crate) async fn multipart_uploads(key: &str) -> Vec<String> {
    let document = s3("GET", &format!("?uploads&prefix={key}"))
        .await
        .expect(200)
        .text();
    all_between(&document, "<UploadId>", "</UploadId>")
}

/// Aborts a multipart upload, as a lifecycle rule would.
pub(crate) async fn abort_multipart(key: &str, multipart_id: &str) {
    s3("DELETE", &format!("/{key}?uploadId={multipart_id}"))
        .await
        .expect(204);
}

fn all_between(text: &str, open: &str, close: &str) -> Vec<String> {
    let pieces = text.split(open).skip(1);
    pieces
        .filter_map(|piece| piece.split_once(close))
        .map(|(inside, _)| inside.to_owned())
        .collect()
}
