//! How AWS's services are called: in JSON, or by the query protocol with answers in XML.

use crate::harness::signed::send_signed;
use crate::harness::stack::stack;
use serde_json::Value;

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

/// A call to a service that speaks the query protocol and answers in XML.
pub(super) async fn query(service: &str, parameters: &str) -> String {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let url = format!("{}/", stack().url_of(service));
    let answer = send_signed(service, "POST", &url, &headers, parameters.to_owned()).await;
    answer.expect(200).text()
}

/// What is between these, wherever they are.
pub(super) fn all_between(text: &str, open: &str, close: &str) -> Vec<String> {
    let pieces = text.split(open).skip(1);
    pieces
        .filter_map(|piece| piece.split_once(close))
        .map(|(inside, _)| inside.to_owned())
        .collect()
}
