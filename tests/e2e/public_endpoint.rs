//! Functions that know the store under a name that clients cannot reach, as in containers: presigned URLs begin with
//! the public name, and are good there.
//!
//! Here the functions know it as the address of their proxy, and the public name is `localhost`.

use crate::harness::bytes::{PART, fresh};
use crate::harness::person::{Person, part_range};
use crate::harness::proxy::Act;
use crate::harness::sandbox::{Sandbox, http_event};
use crate::harness::stack::stack;
use crate::harness::{http::send, wait::until};
use domain::content::PartDigest;
use serde_json::{Value, json};

/// Asks a function that was told of the public name.
async fn ask(function: &str, event: &Value, public: &str) -> Value {
    let environment = [("PUBLIC_STORE_ENDPOINT", public)];
    let mut sandbox = Sandbox::start_with(function, |_| Act::Pass, &environment).await;
    let answer = sandbox.invoke(event).await.unwrap();
    assert!(
        sandbox
            .proxy
            .operations()
            .iter()
            .any(|call| call.starts_with("DynamoDB")),
        "its own calls go where they went before"
    );
    answer
}

#[tokio::test]
async fn urls_begin_with_the_public_name() {
    let public = stack().endpoint.replace("127.0.0.1", "localhost");
    assert_ne!(public, stack().endpoint);
    let bucket = format!("{public}/{}/blobs/", stack().bucket);
    let person = Person::new().await;
    let bytes = fresh(PART + 100);
    let upload = person.begin("a", &bytes).await;

    let part = |number: u32| json!({ "number": number, "sha256": PartDigest::of(&bytes[part_range(&bytes, number)]) });
    let body = json!({ "parts": [part(1), part(2)] });
    let event = http_event("upload-sign-parts", Some(&upload.id), &person.token, Some(&body));
    let answer = ask("upload-sign-parts", &event, &public).await;
    let signed: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    for number in [1_u32, 2] {
        let signed = &signed["parts"][number as usize - 1];
        let url = signed["url"].as_str().unwrap();
        assert!(url.starts_with(&bucket), "{url}");
        let headers = signed["headers"].as_object().unwrap().iter();
        let headers: Vec<_> = headers
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect();
        // The name is signed: under another one the URL is worth nothing.
        let elsewhere = url.replace("localhost", "127.0.0.1");
        let part = bytes.slice(part_range(&bytes, number));
        send("PUT", &elsewhere, &headers, part.clone()).await.expect(403);
        send("PUT", url, &headers, part).await.expect(200);
    }
    person.complete(&upload.id).await;
    let file = until("it is a file", async || person.api.find(None, "a").await.unwrap()).await;

    let event = http_event("file-download", Some(&file.id), &person.token, None);
    let answer = ask("file-download", &event, &public).await;
    let url = answer["multiValueHeaders"]["location"][0].as_str().unwrap();
    assert!(url.starts_with(&bucket), "{url}");
    assert_eq!(send("GET", url, &[], "").await.expect(200).body, bytes);
}
