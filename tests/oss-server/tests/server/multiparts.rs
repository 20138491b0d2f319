//! Multipart uploads.

use crate::ask::ServerFixture;
use oss_server::Etags;

/// The smallest part that need not be the last.
const PART: usize = 100 * 1024;

fn bytes(seed: u8, size: usize) -> Vec<u8> {
    (seed..=250).cycle().take(size).collect()
}

#[tokio::test]
async fn parts_become_an_object() {
    let place = ServerFixture::new();
    let id = place.begin("a").await;
    let parts: Vec<_> = [(1, 10, PART), (2, 20, PART + 1), (10_000, 30, 3)]
        .map(|(number, seed, size)| (number, bytes(seed, size)))
        .into();
    let mut etags = Vec::new();
    for (number, bytes) in parts.iter().rev() {
        etags.insert(0, place.part("a", &id, *number, bytes.clone()).await);
    }
    // Sent again, a part takes the place of the earlier one.
    place.part("a", &id, 5, "never used").await;
    let second = place.part("a", &id, 2, parts[1].1.clone()).await;
    assert_eq!(second, etags[1]);
    place.get("a").await.refused(404, "NoSuchKey");
    let named = [(1, etags[0].as_str()), (2, &etags[1]), (10_000, &etags[2])];
    let done = place.completion("a", &id, &named).send().await.expect(200);
    let whole: Vec<u8> = parts.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    let got = place.get("a").await.expect(200);
    assert_eq!(got.body, whole);
    assert_eq!(got.header("x-oss-object-type"), "Multipart");
    assert_eq!(got.header("etag"), done.header("etag"));
    assert!(got.header("etag").ends_with("-3\""), "{}", got.header("etag"));
    let simple = place.put("b", whole.clone()).await.expect(200);
    assert_ne!(simple.header("etag"), done.header("etag"));
    assert_eq!(
        simple.header("x-oss-hash-crc64ecma"),
        done.header("x-oss-hash-crc64ecma")
    );
    for range in [PART - 1..PART + 1, 5..2 * PART + 3, 2 * PART..2 * PART + 4] {
        let header = format!("bytes={}-{}", range.start, range.end - 1);
        let part = place
            .ask("GET", "a")
            .header("range", &header)
            .send()
            .await
            .expect(206);
        assert_eq!(part.body, whole[range]);
    }
    // Three parts and the simple one: what was not named is gone.
    assert_eq!(place.blobs(), 4);
}

#[tokio::test]
async fn etags_need_not_be_checksums() {
    let place = ServerFixture::with(|settings| settings.etags = Etags::Random);
    let etag = async || {
        place
            .put("a", "bytes")
            .await
            .expect(200)
            .header("etag")
            .to_owned()
    };
    let (first, second) = (etag().await, etag().await);
    assert_ne!(first, second);
    assert_eq!(place.get("a").await.expect(200).header("etag"), second);
    let id = place.begin("b").await;
    let first = place.part("b", &id, 1, "bytes").await;
    let second = place.part("b", &id, 1, "bytes").await;
    for wrong in [&first, "4B3A6218BB3E3A7303E8A171A60FCF92"] {
        let reply = place.completion("b", &id, &[(1, wrong)]).send().await;
        reply.refused(400, "InvalidPart");
    }
    place
        .completion("b", &id, &[(1, &second)])
        .send()
        .await
        .expect(200);
    assert_eq!(place.get("b").await.expect(200).text(), "bytes");
}

#[tokio::test]
async fn an_upload_that_ended_is_none() {
    let place = ServerFixture::new();
    let done = place.begin("a").await;
    let etag = place.part("a", &done, 1, "bytes").await;
    place
        .completion("a", &done, &[(1, &etag)])
        .send()
        .await
        .expect(200);
    let aborted = place.begin("a").await;
    place.part("a", &aborted, 1, "others").await;
    let abort = |id: &str| place.ask("DELETE", "a").query("uploadId", id).send();
    abort(&aborted).await.expect(204);
    for id in [&done, &aborted, "never"] {
        abort(id).await.refused(404, "NoSuchUpload");
        let part = place.part_request("a", id, 1).body("bytes").send().await;
        part.refused(404, "NoSuchUpload");
        let complete = place.completion("a", id, &[(1, &etag)]).send().await;
        complete.refused(404, "NoSuchUpload");
        let list = place.ask("GET", "a").query("uploadId", id).send().await;
        list.refused(404, "NoSuchUpload");
    }
    assert_eq!(place.get("a").await.expect(200).text(), "bytes");
    assert_eq!(place.blobs(), 1);
}

#[tokio::test]
async fn an_upload_belongs_to_its_key() {
    let place = ServerFixture::new();
    let id = place.begin("a").await;
    let etag = place.part("a", &id, 1, "bytes").await;
    let part = place.part_request("b", &id, 1).body("bytes").send().await;
    part.refused(404, "NoSuchUpload");
    place
        .completion("b", &id, &[(1, &etag)])
        .send()
        .await
        .refused(404, "NoSuchUpload");
    let abort = place.ask("DELETE", "b").query("uploadId", &id).send().await;
    abort.refused(404, "NoSuchUpload");
    place.completion("a", &id, &[(1, &etag)]).send().await.expect(200);
}

#[tokio::test]
async fn parts_have_numbers_from_1_to_10_000() {
    let place = ServerFixture::new();
    let id = place.begin("a").await;
    for number in ["0", "10001", "-1", "x", ""] {
        let part = place
            .ask("PUT", "a")
            .query("partNumber", number)
            .query("uploadId", &id);
        part.body("bytes").send().await.refused(400, "InvalidArgument");
    }
    let without = place.ask("PUT", "a").query("uploadId", &id).body("bytes");
    without.send().await.refused(400, "InvalidArgument");
    assert_eq!(place.blobs(), 0);
}

#[tokio::test]
async fn completing_needs_the_right_parts_in_the_right_order() {
    let place = ServerFixture::new();
    let id = place.begin("a").await;
    let one = place.part("a", &id, 1, bytes(1, PART)).await;
    let two = place.part("a", &id, 2, bytes(2, PART - 1)).await;
    let three = place.part("a", &id, 3, bytes(3, PART)).await;
    let (one, two, three) = (one.as_str(), two.as_str(), three.as_str());
    let refusals: [(&[(u32, &str)], &str); 7] = [
        (&[], "MalformedXML"),
        (&[(1, one), (4, one)], "InvalidPart"),
        (&[(1, one), (2, one)], "InvalidPart"),
        (&[(2, two), (1, one)], "InvalidPartOrder"),
        (&[(1, one), (1, one)], "InvalidPartOrder"),
        (&[(1, one), (2, two), (3, three)], "EntityTooSmall"),
        (&[(0, one)], "InvalidArgument"),
    ];
    for (parts, code) in refusals {
        let reply = place.completion("a", &id, parts).send().await;
        reply.refused(400, code);
    }
    for xml in [
        "",
        "<Complete",
        "<Other></Other>",
        "<CompleteMultipartUpload><Part></Part></CompleteMultipartUpload>",
    ] {
        let reply = place.completion("a", &id, &[]).body(xml).send().await;
        reply.refused(400, "MalformedXML");
    }
    place.get("a").await.refused(404, "NoSuchKey");
    assert_eq!(place.blobs(), 3);
    // The last one may be small.
    let parts = [(1, one), (2, two)];
    place.completion("a", &id, &parts).send().await.expect(200);
}

#[tokio::test]
async fn the_checksum_of_the_whole_is_checked() {
    let place = ServerFixture::new();
    let crc64 = place
        .put("b", "123456789")
        .await
        .header("x-oss-hash-crc64ecma")
        .to_owned();
    let id = place.begin("a").await;
    let etag = place.part("a", &id, 1, "123456789").await;
    let complete = |crc64: &str| {
        let ask = place.completion("a", &id, &[(1, &etag)]);
        ask.header("x-oss-hash-crc64ecma", crc64).send()
    };
    complete("1").await.refused(400, "InvalidCRC");
    place.get("a").await.refused(404, "NoSuchKey");
    complete(&crc64).await.expect(200);
}

#[tokio::test]
async fn nothing_is_overwritten_where_that_is_forbidden() {
    let place = ServerFixture::new();
    let id = place.begin("a").await;
    let etag = place.part("a", &id, 1, "new").await;
    place.put("a", "old").await.expect(200);
    let initiate = place.ask("POST", "a").query("uploads", "").once().send().await;
    initiate.refused(409, "FileAlreadyExists");
    let complete = place.completion("a", &id, &[(1, &etag)]);
    complete
        .clone()
        .once()
        .send()
        .await
        .refused(409, "FileAlreadyExists");
    assert_eq!(place.get("a").await.expect(200).text(), "old");
    complete.send().await.expect(200);
    assert_eq!(place.get("a").await.expect(200).text(), "new");
    assert_eq!(place.blobs(), 1);
}

#[tokio::test]
async fn uploads_are_listed_in_pages() {
    let place = ServerFixture::new();
    let mut all = Vec::new();
    for key in ["a", "a", "a", "b", "c/d"] {
        all.push((key.to_owned(), place.begin(key).await));
    }
    all.sort();
    for most in ["1", "2", "3", "5", "1000"] {
        let mut found = Vec::new();
        let (mut key, mut id) = (String::new(), String::new());
        loop {
            let ask = place
                .ask("GET", "")
                .query("uploads", "")
                .query("max-uploads", most);
            let ask = ask.query("key-marker", &key).query("upload-id-marker", &id);
            let page = ask.send().await.expect(200);
            let keys = page.elements("Key");
            found.extend(keys.into_iter().zip(page.elements("UploadId")));
            if page.element("IsTruncated") == "false" {
                break;
            }
            (key, id) = (page.element("NextKeyMarker"), page.element("NextUploadIdMarker"));
        }
        assert_eq!(found, all, "{most}");
    }
    let some = place.ask("GET", "").query("uploads", "").query("prefix", "b");
    assert_eq!(some.send().await.expect(200).elements("Key"), ["b"]);
    // Without an id, everything of the marker's key is known already.
    let rest = place.ask("GET", "").query("uploads", "").query("key-marker", "a");
    assert_eq!(rest.send().await.expect(200).elements("Key"), ["b", "c/d"]);
}

#[tokio::test]
async fn parts_are_listed_in_pages() {
    let place = ServerFixture::new();
    let id = place.begin("a").await;
    let mut all = Vec::new();
    for number in [1, 2, 7, 10_000] {
        let etag = place.part("a", &id, number, bytes(1, 10)).await;
        all.push((number.to_string(), etag.replace('"', "&quot;")));
    }
    for most in ["1", "3", "4", "1000"] {
        let mut found = Vec::new();
        let mut marker = "0".to_owned();
        loop {
            let ask = place
                .ask("GET", "a")
                .query("uploadId", &id)
                .query("max-parts", most);
            let page = ask.query("part-number-marker", &marker).send().await.expect(200);
            let numbers = page.elements("PartNumber");
            found.extend(numbers.into_iter().zip(page.elements("ETag")));
            assert!(page.elements("Size").iter().all(|size| size == "10"));
            if page.element("IsTruncated") == "false" {
                break;
            }
            marker = page.element("NextPartNumberMarker");
        }
        assert_eq!(found, all, "{most}");
    }
}
