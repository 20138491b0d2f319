//! Who is let in, and who is not. The signatures themselves are compared with official answers beside the code.

use crate::ask::{Ask, ServerFixture};
use crate::reply::{Reply, exchange};

const WEEK: i64 = 7 * 24 * 3600;

/// Changes the request after it was signed.
async fn tampered(ask: Ask, change: impl FnOnce(&mut hyper::http::request::Parts)) -> Reply {
    let endpoint = ask.endpoint.clone();
    let (mut head, body) = ask.signed().into_parts();
    change(&mut head);
    exchange(&endpoint, hyper::Request::from_parts(head, body))
        .await
        .unwrap()
}

fn replace(head: &mut hyper::http::request::Parts, name: &'static str, from: &str, to: &str) {
    let value = head.headers[name].to_str().unwrap();
    assert!(value.contains(from), "{value}");
    let value = value.replace(from, to);
    head.headers.insert(name, value.parse().unwrap());
}

#[tokio::test]
async fn every_way_to_name_the_bucket_is_accepted() {
    let place =
        ServerFixture::with(|settings| settings.custom_domains = vec!["files.example.com".to_owned()]);
    place.put("a/b ü+", "bytes").await.expect(200);
    let hosts = [
        None,
        Some("replicas.oss-cn-hangzhou.aliyuncs.com"),
        Some("replicas.localhost:1"),
        Some("files.example.com"),
    ];
    for host in hosts {
        let ask = place
            .ask("GET", "a/b ü+")
            .but(|ask| ask.host = host.map(str::to_owned));
        let signed_host = ask.clone().but(|ask| ask.additional = vec!["host".to_owned()]);
        for ask in [
            ask.clone().presigned(60),
            ask,
            signed_host.clone().presigned(60),
            signed_host,
        ] {
            assert_eq!(ask.send().await.expect(200).text(), "bytes", "{host:?}");
        }
    }
}

#[tokio::test]
async fn a_signature_names_the_bucket_whatever_the_host() {
    let place =
        ServerFixture::with(|settings| settings.custom_domains = vec!["files.example.com".to_owned()]);
    for bucket in ["", "files", "files.example.com", "other"] {
        let ask = place.ask("PUT", "a").but(|ask| {
            ask.host = Some("files.example.com".to_owned());
            ask.bucket = bucket.to_owned();
        });
        ask.send().await.refused(403, "SignatureDoesNotMatch");
    }
    let other = place.ask("PUT", "a").but(|ask| ask.bucket = "other".to_owned());
    other.send().await.refused(404, "NoSuchBucket");
}

#[tokio::test]
async fn without_a_signature_of_version_4_nothing_goes() {
    let place = ServerFixture::new();
    let endpoint = &place.server.endpoint;
    let ask = place.ask("GET", "a").header("host", "127.0.0.1");
    let reply = exchange(endpoint, ask.clone().unsigned()).await.unwrap();
    reply.refused(403, "AccessDenied");
    for old in [
        "OSS LTAItest:Ym9ndXM=",
        "OSS2 AccessKeyId:LTAItest,Signature:Ym9ndXM=",
    ] {
        let ask = ask.clone().header("authorization", old);
        let reply = exchange(endpoint, ask.unsigned()).await.unwrap();
        assert!(
            reply
                .refused(403, "AccessDenied")
                .element("Message")
                .contains("version 1")
        );
    }
    let old = ask
        .clone()
        .query("OSSAccessKeyId", "LTAItest")
        .query("Expires", "99999999999")
        .query("Signature", "Ym9ndXM=");
    let reply = exchange(endpoint, old.unsigned()).await.unwrap();
    assert!(
        reply
            .refused(403, "AccessDenied")
            .element("Message")
            .contains("version 1")
    );
    for nonsense in ["Bearer abc", "OSS4-HMAC-SHA256", "OSS4-HMAC-SHA256 Credential=a"] {
        let ask = ask.clone().header("authorization", nonsense);
        let reply = exchange(endpoint, ask.unsigned()).await.unwrap();
        reply.refused(400, "InvalidArgument");
    }
    let both = place.ask("GET", "a").presigned(60);
    let reply = tampered(both, |head| {
        head.headers
            .insert("authorization", "OSS4-HMAC-SHA256 a=b".parse().unwrap());
    });
    reply.await.refused(400, "InvalidArgument");
}

#[tokio::test]
async fn wrong_credentials_are_refused() {
    let place = ServerFixture::new();
    for expires in [None, Some(60)] {
        let ask = place.ask("PUT", "a").but(|ask| ask.expires = expires);
        let unknown = ask.clone().but(|ask| ask.access_key_id = "LTAIother".to_owned());
        unknown.send().await.refused(403, "InvalidAccessKeyId");
        let wrong = ask.clone().but(|ask| ask.secret.push('x'));
        let reply = wrong.send().await.refused(403, "SignatureDoesNotMatch");
        assert!(reply.element("StringToSign").starts_with("OSS4-HMAC-SHA256"));
        // A permanent access key with a token is none.
        let token = ask.but(|ask| ask.token = Some("token".to_owned()));
        token.send().await.refused(403, "InvalidAccessKeyId");
    }
    assert_eq!(place.blobs(), 0);
}

#[tokio::test]
async fn temporary_credentials_need_their_token() {
    let place = ServerFixture::with(|settings| settings.security_token = Some("right/token+=".to_owned()));
    for expires in [None, Some(60)] {
        let ask = place.ask("PUT", "a").but(|ask| ask.expires = expires);
        ask.clone().send().await.expect(200);
        let none = ask.clone().but(|ask| ask.token = None);
        none.send().await.refused(403, "InvalidAccessKeyId");
        let wrong = ask.clone().but(|ask| ask.token = Some("wrong".to_owned()));
        wrong.send().await.refused(403, "InvalidSecurityToken");
        let secret = ask.but(|ask| ask.secret.push('x'));
        secret.send().await.refused(403, "SignatureDoesNotMatch");
    }
}

#[tokio::test]
async fn the_scope_must_be_right() {
    let place = ServerFixture::new();
    for expires in [None, Some(60)] {
        let ask = place.ask("PUT", "a").but(|ask| ask.expires = expires);
        let region = ask.clone().but(|ask| ask.region = "oss-cn-hangzhou".to_owned());
        let reply = region.send().await.refused(400, "InvalidArgument");
        assert_eq!(reply.element("EC"), "0002-00000226");
        let product = ask.but(|ask| ask.product = "s3".to_owned());
        product.send().await.refused(400, "InvalidArgument");
    }
    let day = place.ask("PUT", "a");
    let today = day.time.strftime("%Y%m%d").to_string();
    let reply = tampered(day, |head| {
        replace(head, "authorization", &format!("/{today}/"), "/20200101/");
    });
    reply.await.refused(400, "InvalidArgument");
    let end = tampered(place.ask("PUT", "a"), |head| {
        replace(head, "authorization", "aliyun_v4_request", "aws4_request");
    });
    end.await.refused(400, "InvalidArgument");
}

#[tokio::test]
async fn clocks_may_be_fifteen_minutes_apart() {
    let place = ServerFixture::new();
    for seconds in [-14 * 60, 14 * 60] {
        place.ask("PUT", "a").at(seconds).send().await.expect(200);
    }
    for seconds in [-16 * 60, 16 * 60] {
        let reply = place.ask("PUT", "a").at(seconds).send().await;
        let reply = reply.refused(403, "RequestTimeTooSkewed");
        assert_eq!(reply.element("MaxAllowedSkewMilliseconds"), "900000");
    }
    let without = tampered(place.ask("PUT", "a"), |head| {
        head.headers.remove("x-oss-date");
    });
    without.await.refused(403, "AccessDenied");
    let nonsense = tampered(place.ask("PUT", "a"), |head| {
        let day = head.headers["x-oss-date"].to_str().unwrap()[..8].to_owned();
        head.headers.insert("x-oss-date", day.parse().unwrap());
    });
    nonsense.await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn presigned_urls_expire() {
    let place = ServerFixture::new();
    place.put("a", "bytes").await.expect(200);
    let get = || place.ask("GET", "a");
    get().at(60 - WEEK).presigned(WEEK).send().await.expect(200);
    get().at(-50).presigned(60).send().await.expect(200);
    let late = get().at(-61).presigned(60).send().await;
    assert_eq!(
        late.refused(403, "AccessDenied").element("Message"),
        "Request has expired."
    );
    let early = get().at(16 * 60).presigned(60).send().await;
    early.refused(403, "RequestTimeTooSkewed");
    for expires in [0, -1, WEEK + 1] {
        get()
            .presigned(expires)
            .send()
            .await
            .refused(400, "InvalidArgument");
    }
}

#[tokio::test]
async fn what_was_signed_cannot_be_changed() {
    let place = ServerFixture::new();
    place.put("a", "bytes").await.expect(200);
    place.put("b", "others").await.expect(200);
    let refused = |reply: Reply| drop(reply.refused(403, "SignatureDoesNotMatch"));
    for expires in [None, Some(60)] {
        let ask = || place.ask("GET", "a").but(|ask| ask.expires = expires);
        let typed = || {
            ask()
                .header("content-type", "text/plain")
                .header("x-oss-meta-a", "b")
        };
        refused(tampered(ask(), |head| head.method = hyper::Method::DELETE).await);
        let at = |head: &mut hyper::http::request::Parts, from: &str, to: &str| {
            head.uri = head.uri.to_string().replacen(from, to, 1).parse().unwrap();
        };
        refused(tampered(ask(), |head| at(head, "/a?", "/b?")).await);
        refused(tampered(ask(), |head| at(head, "/a?", "/a?response-content-type=a&")).await);
        refused(tampered(typed(), |head| replace(head, "content-type", "plain", "html")).await);
        refused(tampered(typed(), |head| replace(head, "x-oss-meta-a", "b", "c")).await);
        refused(tampered(typed(), |head| drop(head.headers.remove("x-oss-meta-a"))).await);
        let added = |name: &'static str| {
            tampered(ask(), move |head| {
                drop(head.headers.insert(name, "x".parse().unwrap()));
            })
        };
        refused(added("content-md5").await);
        refused(added("x-oss-forbid-overwrite").await);
        let more = || {
            ask()
                .header("abc", "d")
                .but(|ask| ask.additional = vec!["abc".to_owned()])
        };
        more().send().await.expect(200);
        refused(tampered(more(), |head| replace(head, "abc", "d", "e")).await);
    }
    let longer = tampered(place.ask("GET", "a").presigned(60), |head| {
        head.uri = head
            .uri
            .to_string()
            .replace("expires=60", "expires=600")
            .parse()
            .unwrap();
    });
    refused(longer.await);
}

#[tokio::test]
async fn additional_headers_must_make_sense() {
    let place = ServerFixture::new();
    for list in ["", "abc", "Host", "host;host", "host;"] {
        let in_header = tampered(place.ask("PUT", "a"), |head| {
            replace(
                head,
                "authorization",
                ",Signature",
                &format!(",AdditionalHeaders={list},Signature"),
            );
        });
        in_header.await.refused(400, "InvalidArgument");
        let in_query = place.ask("PUT", "a").query("x-oss-additional-headers", list);
        in_query
            .presigned(60)
            .send()
            .await
            .refused(400, "InvalidArgument");
    }
}

#[tokio::test]
async fn the_payload_must_be_declared_unsigned() {
    let place = ServerFixture::new();
    let without = tampered(place.ask("PUT", "a"), |head| {
        head.headers.remove("x-oss-content-sha256");
    });
    without.await.refused(400, "InvalidArgument");
    let digest = tampered(place.ask("PUT", "a"), |head| {
        replace(head, "x-oss-content-sha256", "UNSIGNED-PAYLOAD", &"0".repeat(64));
    });
    digest.await.refused(400, "InvalidArgument");
}
