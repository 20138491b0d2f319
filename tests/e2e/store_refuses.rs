//! What the store itself refuses: a part URL is good for one part's bytes and nothing else.

use crate::harness::bytes::{PART, fresh};
use crate::harness::http::send;
use crate::harness::person::{Person, put, put_with};
use bytes::Bytes;
use domain::content::PartDigest;

const CHECKSUM: &str = "x-amz-checksum-sha256";

#[tokio::test]
async fn other_bytes_than_were_signed() {
    let person = Person::new().await;
    let bytes = fresh(1000);
    let upload = person.begin("a", &bytes).await;
    let signed = person.sign(&upload.id, 1, &bytes).await;
    assert_eq!(
        signed.headers.get(CHECKSUM),
        Some(&PartDigest::of(&bytes).to_string())
    );

    let same_length = fresh(1000);
    put(&signed, same_length.clone()).await.expect(400);
    // With a checksum that fits the other bytes, the signature does not fit the checksum.
    let fitting = PartDigest::of(&same_length).to_string();
    let change = |name: &str, value: &str| {
        let is_checksum = name.eq_ignore_ascii_case(CHECKSUM);
        Some(if is_checksum {
            fitting.clone()
        } else {
            value.to_owned()
        })
    };
    put_with(&signed, change, same_length.clone()).await.expect(403);
    let without = |name: &str, value: &str| (!name.eq_ignore_ascii_case(CHECKSUM)).then(|| value.to_owned());
    put_with(&signed, without, same_length).await.expect(403);
    put_with(&signed, without, bytes.clone()).await.expect(403);

    assert_eq!(
        person.api.upload(&upload.id).await.unwrap().received,
        Some(Vec::new())
    );
    put(&signed, bytes).await.expect(200);
    assert_eq!(
        person
            .api
            .upload(&upload.id)
            .await
            .unwrap()
            .received
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn more_or_fewer_bytes_than_were_signed() {
    let person = Person::new().await;
    let bytes = fresh(1000);
    let upload = person.begin("a", &bytes).await;
    let signed = person.sign(&upload.id, 1, &bytes).await;
    let longer = Bytes::from([&bytes[..], b"x"].concat());
    // The length is signed, too; it goes by itself with every request, and so contradicts the signature.
    for body in [longer, bytes.slice(..999), Bytes::new()] {
        let status = put(&signed, body).await.status;
        assert!([400, 403].contains(&status), "{status}");
    }
    assert_eq!(
        person.api.upload(&upload.id).await.unwrap().received,
        Some(Vec::new())
    );
}

#[tokio::test]
async fn another_part_or_another_upload() {
    let person = Person::new().await;
    let bytes = fresh(PART + 10);
    let (upload, other) = (person.begin("a", &bytes).await, person.begin("b", &bytes).await);
    let signed = person.sign(&upload.id, 2, &bytes[PART..]).await;
    let elsewhere = person.sign(&other.id, 2, &bytes[PART..]).await;
    let headers: Vec<(&str, &str)> = signed
        .headers
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let url = signed.url.reveal();
    let id = |url: &str| {
        url.split("uploadId=")
            .nth(1)
            .unwrap()
            .split('&')
            .next()
            .unwrap()
            .to_owned()
    };
    for changed in [
        url.replace("partNumber=2", "partNumber=1"),
        url.replace(&id(url), &id(elsewhere.url.reveal())),
        url.replace("X-Amz-Expires=", "X-Amz-Expires=9"),
    ] {
        assert_ne!(changed, url);
        let status = send("PUT", &changed, &headers, bytes.slice(PART..)).await.status;
        assert!((400..500).contains(&status), "{status}: {changed}");
    }
    for upload in [&upload, &other] {
        assert_eq!(
            person.api.upload(&upload.id).await.unwrap().received,
            Some(Vec::new())
        );
    }
}

/// The digest is signed as a header. In the query it would be signed, too, but not enforced.
#[tokio::test]
async fn the_checksum_is_not_in_the_query() {
    let person = Person::new().await;
    let bytes = fresh(10);
    let upload = person.begin("a", &bytes).await;
    let signed = person.sign(&upload.id, 1, &bytes).await;
    let url = signed.url.reveal().to_lowercase();
    let (_, query) = url.split_once('?').unwrap();
    assert!(
        !query.split('&').any(|pair| pair.starts_with("x-amz-checksum")),
        "{query}"
    );
    let signed_headers = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("x-amz-signedheaders="));
    assert!(signed_headers.unwrap().contains(CHECKSUM), "{query}");
    assert!(query.contains("x-amz-expires=900"), "{query}");
}
