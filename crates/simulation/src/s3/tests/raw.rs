//! Requests that the AWS SDK would not make.

use super::{BUCKET, double};
use crate::s3::S3;
use crate::test_client::{Double, start};
use bytes::Bytes;
use http::{Request, Response};

/// Sends a request that is signed by header.
fn send(
    double: &Double<S3>,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Response<Bytes> {
    let mut request = Request::builder().method(method);
    request = request.uri(format!("http://s3.simulation/{BUCKET}{url}"));
    request = request.header("authorization", "AWS4-HMAC-SHA256 of the test");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
    double.lock().0.answer(&request, start())
}

fn is(answer: &Response<Bytes>, status: u16, code: &str) {
    let text = String::from_utf8_lossy(answer.body());
    assert_eq!(answer.status().as_u16(), status, "{text}");
    assert!(text.contains(&format!("<Code>{code}</Code>")), "{text}");
}

#[test]
fn a_body_is_what_is_said_of_it() {
    let double = double();
    let of_body = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(b"these"));
    for (name, value, status, code) in [
        ("content-length", "4", 400, "IncompleteBody"),
        ("content-length", "6", 400, "IncompleteBody"),
        (
            "x-amz-content-sha256",
            &of_body.replace('a', "b"),
            400,
            "XAmzContentSHA256Mismatch",
        ),
        (
            "x-amz-content-sha256",
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            501,
            "NotImplemented",
        ),
        ("content-encoding", "aws-chunked", 501, "NotImplemented"),
    ] {
        is(
            &send(&double, "PUT", "/key", &[(name, value)], "these"),
            status,
            code,
        );
    }
    assert_eq!(double.lock().0.objects(BUCKET).count(), 0);
    let right = [("content-length", "5"), ("x-amz-content-sha256", &of_body)];
    assert_eq!(
        send(&double, "PUT", "/key", &right, "these").status().as_u16(),
        200
    );
    assert_eq!(double.lock().0.read(BUCKET, "key").unwrap(), "these");
}

#[test]
fn values_that_are_none() {
    let double = double();
    send(&double, "PUT", "/key", &[], "these");
    for (method, url, header, status, code) in [
        ("GET", "?list-type=1", None, 400, "InvalidArgument"),
        ("GET", "?list-type=2&max-keys=many", None, 400, "InvalidArgument"),
        (
            "GET",
            "?list-type=2&continuation-token=~",
            None,
            400,
            "InvalidArgument",
        ),
        ("GET", "?uploads&max-uploads=-1", None, 400, "InvalidArgument"),
        ("GET", "/%ff", None, 400, "InvalidURI"),
        (
            "GET",
            "/key",
            Some(("x-amz-checksum-mode", "on")),
            400,
            "InvalidRequest",
        ),
        (
            "PUT",
            "/key",
            Some(("if-none-match", "\"a\"")),
            501,
            "NotImplemented",
        ),
        (
            "PUT",
            "/key",
            Some(("x-amz-sdk-checksum-algorithm", "SHA1")),
            400,
            "InvalidRequest",
        ),
    ] {
        let answer = send(&double, method, url, header.as_slice(), "");
        is(&answer, status, code);
    }
    let headers = [
        ("x-amz-sdk-checksum-algorithm", "SHA256"),
        ("x-amz-checksum-crc32", "AAAAAA=="),
    ];
    is(&send(&double, "PUT", "/key", &headers, ""), 400, "InvalidRequest");
    assert_eq!(double.lock().0.read(BUCKET, "key").unwrap(), "these");
}

#[test]
fn a_page_of_nothing_is_the_last() {
    let double = double();
    send(&double, "PUT", "/key", &[], "these");
    let answer = send(&double, "GET", "?list-type=2&max-keys=0", &[], "");
    let text = String::from_utf8_lossy(answer.body());
    assert!(
        text.contains("<IsTruncated>false<") && !text.contains("<Key>"),
        "{text}"
    );
}

#[test]
fn many_objects_are_not_deleted_without_a_checksum() {
    let double = double();
    send(&double, "PUT", "/key", &[], "these");
    let delete = "<Delete><Object><Key>key</Key></Object></Delete>";
    is(
        &send(&double, "POST", "?delete", &[], delete),
        400,
        "InvalidRequest",
    );
    // Versions, and what else may be said of an object there, are not for this store.
    let versioned = delete.replace("</Key>", "</Key><VersionId>1</VersionId>");
    for (document, code) in [
        (versioned.as_str(), "MalformedXML"),
        ("<Delete></Delete>", "MalformedXML"),
        ("<Delete>", "MalformedXML"),
    ] {
        let md5 = <md5::Md5 as md5::Digest>::digest(document);
        let md5 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, md5);
        let answer = send(&double, "POST", "?delete", &[("content-md5", &md5)], document);
        is(&answer, 400, code);
    }
    assert_eq!(double.lock().0.objects(BUCKET).count(), 1);
}

#[test]
fn the_answer_to_a_head_has_no_body() {
    let double = double();
    send(&double, "PUT", "/key", &[], "these");
    let answer = send(&double, "HEAD", "/key", &[], "");
    assert_eq!(answer.headers()["content-length"], "5");
    assert!(answer.body().is_empty());
    let answer = send(&double, "HEAD", "/none", &[], "");
    assert_eq!(answer.status().as_u16(), 404);
    assert!(answer.body().is_empty());
}

#[test]
fn the_same_requests_have_the_same_answers() {
    let answers = || {
        let double = double();
        let mut all = Vec::new();
        for (method, url) in [
            ("POST", "/key?uploads"),
            ("PUT", "/key"),
            ("GET", "/key"),
            ("GET", "?list-type=2"),
            ("GET", "?uploads"),
            ("GET", "/none"),
        ] {
            all.push(format!("{:?}", send(&double, method, url, &[], "")));
        }
        all
    };
    assert_eq!(answers(), answers());
}
