//! Uploads.

use crate::table::{Table, asked};
use domain::content::PartDigest;
use domain::proof::MIN_SIZE;
use serde_json::json;
use simulation::person::{PART, Person, content_id, proof};

impl Table<'_> {
    /// Leaves a file called `new`.
    pub(super) async fn uploads(&mut self, person: &Person<'_>) {
        let bytes = self.fresh(PART + 1);
        let new = |name: &str| json!({ "name": name, "size": bytes.len(), "content_id": content_id(&bytes) });
        let create = |case| asked("upload-create", case);
        let unsaid = json!({ "name": "unsaid", "size": bytes.len() });
        let unsaid = create("content not announced").body(unsaid);
        let unsaid = self.note(person, unsaid).await;
        let unsaid = format!("/v1/uploads/{}", unsaid["id"].as_str().expect("begun"));
        assert_eq!(person.call("DELETE", &unsaid, None).await.status, 204);
        let upload = self.note(person, create("new content").body(new("new"))).await;
        let upload = upload["id"].as_str().expect("begun").to_owned();
        self.note(person, asked("upload-list", "")).await;
        let part = |number: u32, bytes: &[u8]| json!({ "number": number, "sha256": PartDigest::of(bytes) });
        let parts = json!({ "parts": [part(1, &bytes[..PART]), part(2, &bytes[PART..])] });
        for case in ["the first parts", "more parts"] {
            let sign = asked("upload-sign-parts", case).id(&upload);
            self.note(person, sign.body(parts.clone())).await;
        }
        person.send_parts(&upload, &bytes).await.expect("sent");
        self.note(person, asked("upload-get", "open").id(&upload)).await;
        let complete = |case| asked("upload-complete", case);
        self.note(person, complete("new content").id(&upload)).await;
        self.note(person, complete("again").id(&upload)).await;
        self.note(person, asked("upload-get", "complete").id(&upload))
            .await;
        let sent = async |name: &str| {
            let begun = person.begin(name, None, &bytes, false, "fail").await;
            let id = begun.body["id"].as_str().expect("begun").to_owned();
            person.send_parts(&id, &bytes).await.expect("sent");
            id
        };
        let known = sent("known").await;
        self.note(person, complete("known content").id(&known)).await;
        let moved = sent("moved").await;
        let moved = complete("known content, by another name").id(&moved);
        self.note(person, moved.body(json!({ "name": "elsewhere" })))
            .await;
        for (case, on_conflict) in [
            ("content that the account has", "fail"),
            ("content that the account has, renamed", "rename"),
            (
                "content that the account has, in the place of another file",
                "replace",
            ),
        ] {
            let mut body = new("instant");
            body["on_conflict"] = json!(on_conflict);
            self.note(person, create(case).body(body)).await;
        }
        let aborted = sent("aborted").await;
        self.note(person, asked("upload-abort", "").id(&aborted)).await;
    }

    /// Bytes that somebody else has.
    pub(super) async fn proofs(&mut self, person: &Person<'_>) {
        let other = self.person().await;
        for (case, on_conflict) in [
            ("right", "fail"),
            ("right, renamed", "rename"),
            ("right, in the place of another file", "replace"),
            ("wrong", "fail"),
        ] {
            let bytes = self.fresh(provable());
            let stored = other.store(case, None, &bytes, false, "fail").await;
            stored.expect("stored");
            if on_conflict != "fail" {
                let stored = person.store(case, None, &self.fresh(10), false, "fail").await;
                stored.expect("stored");
            }
            let upload = if case == "right" {
                let body = json!({ "name": case, "size": bytes.len(), "content_id": content_id(&bytes) });
                let create = asked("upload-create", "content that another account has");
                self.note(person, create.body(body)).await
            } else {
                person.begin(case, None, &bytes, true, on_conflict).await.body
            };
            let has = if case == "wrong" {
                self.fresh(provable())
            } else {
                bytes
            };
            let proof = proof(&upload["challenge"], &has).expect("a challenge");
            let prove = asked("upload-prove", case).id(upload["id"].as_str().expect("begun"));
            let answered = self.note(person, prove.body(json!({ "proof": proof }))).await;
            let state = if case == "wrong" { "open" } else { "complete" };
            assert_eq!(answered["state"], state, "{case}: {answered}");
        }
    }

    /// Creates that can be sent again.
    pub(super) async fn keys(&mut self, person: &Person<'_>) {
        for (function, body) in [
            ("upload-create", json!({ "name": "keyed", "size": 10 })),
            ("folder-create", json!({ "name": "keyed" })),
        ] {
            let create = |case| asked(function, case).key("again").body(body.clone());
            let first = self.note(person, create("with an `Idempotency-Key`")).await;
            let again = self
                .note(person, create("with an `Idempotency-Key`, again"))
                .await;
            assert_eq!(again, first);
        }
    }
}

/// The fewest bytes for which a proof is asked.
fn provable() -> usize {
    usize::try_from(MIN_SIZE).expect("it is not large")
}
