//! Objects: what is stored, what is refused, how they are read and listed.

use crate::ask::{ServerFixture, blobs};
use crate::reply::authority;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use std::fmt::Write;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const DIGITS: &str = "123456789";
const DIGITS_CRC64: &str = "11051210869376104954";

fn md5(text: &str) -> String {
    STANDARD.encode(Md5::digest(text))
}

#[tokio::test]
async fn an_object_comes_back_with_its_checksums() {
    let place = ServerFixture::new();
    let put = place
        .ask("PUT", "a")
        .header("content-type", "text/plain")
        .header("x-oss-meta-color", "blue");
    let put = put.body(DIGITS).send().await.expect(200);
    for method in ["GET", "HEAD"] {
        let reply = place.ask(method, "a").send().await.expect(200);
        assert_eq!(reply.text(), if method == "GET" { DIGITS } else { "" });
        assert_eq!(reply.header("content-length"), "9");
        assert_eq!(reply.header("content-type"), "text/plain");
        assert_eq!(reply.header("x-oss-meta-color"), "blue");
        assert_eq!(reply.header("x-oss-object-type"), "Normal");
        assert_eq!(reply.header("etag"), "\"25F9E794323B453885F5181F1B624D0B\"");
        for name in ["x-oss-hash-crc64ecma", "etag"] {
            assert_eq!(reply.header(name), put.header(name));
        }
        assert_eq!(reply.header("x-oss-hash-crc64ecma"), DIGITS_CRC64);
        assert_eq!(reply.header("x-oss-request-id").len(), 24);
    }
}

#[tokio::test]
async fn a_new_object_takes_the_place_of_an_old_one_and_a_deleted_one_is_gone() {
    let place = ServerFixture::new();
    place.put("a", "old").await.expect(200);
    place.put("a", "new").await.expect(200);
    assert_eq!(place.get("a").await.expect(200).text(), "new");
    assert_eq!(place.blobs(), 1);
    for _ in 0..2 {
        place.ask("DELETE", "a").send().await.expect(204);
    }
    place.get("a").await.refused(404, "NoSuchKey");
    assert_eq!(place.blobs(), 0);
}

#[tokio::test]
async fn an_empty_object_is_one() {
    let place = ServerFixture::new();
    let put = place.put("a", "").await.expect(200);
    assert_eq!(put.header("x-oss-hash-crc64ecma"), "0");
    let got = place.get("a").await.expect(200);
    assert_eq!((got.header("content-length"), got.text().as_str()), ("0", ""));
}

#[tokio::test]
async fn to_head_a_refusal_is_in_a_header() {
    let place = ServerFixture::new();
    let reply = place.ask("HEAD", "a").send().await.expect(404);
    let xml = STANDARD.decode(reply.header("x-oss-err")).unwrap();
    let xml = String::from_utf8(xml).unwrap();
    assert!(xml.contains("<Code>NoSuchKey</Code>"), "{xml}");
    assert!(xml.contains(reply.header("x-oss-request-id")), "{xml}");
    assert_eq!(reply.text(), "");
}

#[tokio::test]
async fn bytes_that_are_not_what_the_client_says_are_not_stored() {
    let place = ServerFixture::new();
    let wrong = [
        ("content-md5", md5("others"), "InvalidDigest"),
        ("content-md5", "nonsense".to_owned(), "InvalidDigest"),
        ("content-md5", STANDARD.encode("short"), "InvalidDigest"),
        ("x-oss-hash-crc64ecma", "1".to_owned(), "InvalidCRC"),
        ("x-oss-hash-crc64ecma", "abc".to_owned(), "InvalidArgument"),
        ("x-oss-hash-crc64ecma", "-1".to_owned(), "InvalidArgument"),
    ];
    let id = place.begin("a").await;
    for (name, value, code) in wrong {
        let put = place.ask("PUT", "a").header(name, &value).body(DIGITS);
        put.send().await.refused(400, code);
        let part = place.part_request("a", &id, 1).header(name, &value);
        part.body(DIGITS).send().await.refused(400, code);
    }
    place.get("a").await.refused(404, "NoSuchKey");
    assert_eq!(place.blobs(), 0);
    for (name, value) in [
        ("content-md5", md5(DIGITS)),
        ("x-oss-hash-crc64ecma", DIGITS_CRC64.to_owned()),
    ] {
        let put = place.ask("PUT", "a").header(name, &value).body(DIGITS);
        put.send().await.expect(200);
    }
}

#[tokio::test]
async fn what_must_not_be_overwritten_is_not() {
    let place = ServerFixture::new();
    place.ask("PUT", "a").once().body("old").send().await.expect(200);
    let again = place.ask("PUT", "a").once().body("new").send().await;
    again.refused(409, "FileAlreadyExists");
    assert_eq!(place.get("a").await.expect(200).text(), "old");
    let unclear = place.ask("PUT", "b").header("x-oss-forbid-overwrite", "yes");
    unclear.send().await.refused(400, "InvalidArgument");
    assert_eq!(place.blobs(), 1);
}

#[tokio::test]
async fn of_many_who_may_not_overwrite_one_wins() {
    let place = ServerFixture::new();
    let puts = (0..8).map(|number| {
        let put = place.ask("PUT", "a").once().body(vec![number; 200_000]);
        tokio::spawn(put.send())
    });
    let puts: Vec<_> = puts.collect();
    let mut stored = 0;
    for put in puts {
        let reply = put.await.unwrap();
        if reply.status == 200 {
            stored += 1;
        } else {
            reply.refused(409, "FileAlreadyExists");
        }
    }
    assert_eq!((stored, place.blobs()), (1, 1));
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_nothing() {
    let place = ServerFixture::new();
    let request = place.ask("PUT", "a").signed();
    let mut text = format!("PUT {} HTTP/1.1\r\ncontent-length: 3000000\r\n", request.uri());
    for (name, value) in request.headers() {
        write!(text, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
    }
    let mut stream = TcpStream::connect(authority(&place.server.endpoint))
        .await
        .unwrap();
    stream.write_all(format!("{text}\r\n").as_bytes()).await.unwrap();
    stream.write_all(&vec![0; 2_000_000]).await.unwrap();
    stream.shutdown().await.unwrap();
    // The server answers, or closes; either way it is done with the request then.
    let _ = stream.read_to_end(&mut Vec::new()).await;
    place.get("a").await.refused(404, "NoSuchKey");
    let folder = place.folder.path().to_owned();
    let timeout = tokio::time::timeout(Duration::from_secs(10), async {
        while blobs(&folder) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    timeout.await.expect("the blob goes");
}

#[tokio::test]
async fn a_range_is_sent_alone() {
    let place = ServerFixture::new();
    place.put("a", DIGITS).await.expect(200);
    for (range, sent, shown) in [
        ("bytes=0-0", "1", "bytes 0-0/9"),
        ("bytes=2-4", "345", "bytes 2-4/9"),
        ("bytes=7-99", "89", "bytes 7-8/9"),
        ("bytes=-3", "789", "bytes 6-8/9"),
    ] {
        let reply = place
            .ask("GET", "a")
            .header("range", range)
            .send()
            .await
            .expect(206);
        assert_eq!(reply.text(), sent);
        assert_eq!(reply.header("content-range"), shown);
        // As OSS does: that of the whole object.
        assert_eq!(reply.header("x-oss-hash-crc64ecma"), DIGITS_CRC64);
    }
    let beyond = place.ask("GET", "a").header("range", "bytes=9-");
    assert_eq!(beyond.clone().send().await.expect(200).text(), DIGITS);
    let standard = beyond.header("x-oss-range-behavior", "standard");
    standard.send().await.refused(416, "InvalidRange");
}

#[tokio::test]
async fn the_query_of_a_get_sets_headers() {
    let place = ServerFixture::new();
    let put = place
        .ask("PUT", "a")
        .header("content-type", "text/html")
        .body(DIGITS);
    put.send().await.expect(200);
    for expires in [None, Some(60)] {
        let disposition = "attachment; filename*=UTF-8''%C3%BC%20b.txt";
        let get = place
            .ask("GET", "a")
            .query("response-content-type", "application/x-other")
            .query("response-content-disposition", disposition);
        let reply = get.but(|ask| ask.expires = expires).send().await.expect(200);
        assert_eq!(reply.header("content-type"), "application/x-other");
        assert_eq!(reply.header("content-disposition"), disposition);
    }
}

#[tokio::test]
async fn what_the_server_would_not_heed_it_refuses() {
    let place = ServerFixture::new();
    place.put("a", DIGITS).await.expect(200);
    for (method, key, name) in [
        ("GET", "a", "acl"),
        ("GET", "a", "versionId"),
        ("PUT", "a", "tagging"),
        ("POST", "a", "append"),
        ("GET", "", "lifecycle"),
        ("PUT", "", "acl"),
    ] {
        let reply = place.ask(method, key).query(name, "").send().await;
        reply.refused(501, "NotImplemented");
    }
    let copy = place.ask("PUT", "b").header("x-oss-copy-source", "/replicas/a");
    copy.send().await.refused(501, "NotImplemented");
    for name in ["/a", "\\a", &"a".repeat(1024)] {
        // In the path a slash more would be part of the key as well.
        let put = place.ask("PUT", name).but(|ask| {
            ask.host = Some("replicas.oss-cn-hangzhou.aliyuncs.com".to_owned());
        });
        put.send().await.refused(400, "InvalidObjectName");
    }
}

#[tokio::test]
async fn lists_come_in_pages() {
    let place = ServerFixture::new();
    let keys = ["a", "b/1", "b/2", "b/3", "c &<", "ü"];
    for key in keys {
        place.put(key, DIGITS).await.expect(200);
    }
    for most in ["1", "2", "5", "6", "100"] {
        for delimiter in ["", "/"] {
            let mut found = Vec::new();
            let mut token: Option<String> = None;
            loop {
                let mut ask = place
                    .ask("GET", "")
                    .query("list-type", "2")
                    .query("max-keys", most)
                    .query("delimiter", delimiter);
                if let Some(token) = &token {
                    ask = ask.query("continuation-token", token);
                }
                let page = ask.send().await.expect(200);
                found.extend(page.elements("Key"));
                found.extend(page.elements("CommonPrefixes").iter().map(|text| {
                    let text = text.strip_prefix("<Prefix>").unwrap();
                    text.strip_suffix("</Prefix>").unwrap().to_owned()
                }));
                if page.element("IsTruncated") == "false" {
                    break;
                }
                token = Some(page.element("NextContinuationToken"));
            }
            found.sort();
            let all = if delimiter.is_empty() {
                vec!["a", "b/1", "b/2", "b/3", "c &amp;&lt;", "ü"]
            } else {
                vec!["a", "b/", "c &amp;&lt;", "ü"]
            };
            assert_eq!(found, all, "{most} {delimiter}");
        }
    }
    let some = place
        .ask("GET", "")
        .query("prefix", "b/")
        .query("marker", "b/1")
        .query("encoding-type", "url");
    let some = some.send().await.expect(200);
    assert_eq!(some.elements("Key"), ["b%2F2", "b%2F3"]);
    let too_many = place.ask("GET", "").query("max-keys", "1001").send().await;
    too_many.refused(400, "InvalidArgument");
}

#[tokio::test]
async fn many_are_deleted_at_once() {
    let place = ServerFixture::new();
    for key in ["a", "b & c", "d"] {
        place.put(key, DIGITS).await.expect(200);
    }
    let xml = "<Delete><Quiet>false</Quiet><Object><Key>a</Key></Object><Object><Key>b &amp; c</Key></Object></Delete>";
    let delete = place.ask("POST", "").query("delete", "").body(xml);
    delete.clone().send().await.refused(400, "MissingArgument");
    let wrong = delete.clone().header("content-md5", &md5("others"));
    wrong.send().await.refused(400, "InvalidDigest");
    assert_eq!(place.blobs(), 3);
    let reply = delete.header("content-md5", &md5(xml)).send().await.expect(200);
    assert_eq!(reply.elements("Key"), ["a", "b &amp; c"]);
    assert_eq!(place.blobs(), 1);
    let no_xml = place.ask("POST", "").query("delete", "").body("{}");
    let reply = no_xml.header("content-md5", &md5("{}")).send().await;
    reply.refused(400, "MalformedXML");
}
