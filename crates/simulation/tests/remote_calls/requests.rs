//! The requests, by resource.

use crate::table::{Table, asked};
use domain::content::PartDigest;
use domain::proof::MIN_SIZE;
use serde_json::json;
use simulation::person::{PART, PASSWORD, Person, content_id, proof};
use simulation::world::BUCKET;
use wire::Caller;

impl Table<'_> {
    /// Every endpoint, each group twice: what a function asks when it starts is not recorded.
    pub(crate) async fn all_requests(&mut self) {
        for recording in [false, true] {
            self.recording = recording;
            self.accounts().await;
        }
        for recording in [false, true] {
            self.recording = recording;
            let person = self.person().await;
            self.uploads(&person).await;
            self.proofs(&person).await;
            self.keys(&person).await;
            self.files(&person).await;
            self.targets(&person).await;
        }
        for recording in [false, true] {
            self.recording = recording;
            self.endings().await;
        }
    }

    async fn accounts(&mut self) {
        let person = self.person().await;
        let nothing = asked("openapi-get", "");
        self.note(&person, nothing).await;
        let new = json!({ "username": self.new_name(), "password": PASSWORD });
        self.note(&person, asked("account-create", "").body(new)).await;
        let code = self.code(json!({ "action": "create" })).await;
        let new = json!({ "username": self.new_name(), "password": PASSWORD, "invitation": code });
        self.note(&person, asked("account-create", "by invitation").body(new))
            .await;
        let known = json!({ "username": person.username, "password": PASSWORD });
        let session = self.note(&person, asked("session-create", "").body(known)).await;
        let refresh = json!({ "refresh_token": session["refresh_token"] });
        for case in ["", "the same again"] {
            self.note(&person, asked("session-refresh", case).body(refresh.clone()))
                .await;
        }
        let token = json!({ "name": "CI", "scopes": ["read"], "expires_in_days": 1 });
        let token = self.note(&person, asked("token-create", "").body(token)).await;
        let id = token["id"].as_str().expect("a token");
        self.note(&person, asked("token-delete", "").id(id)).await;
    }

    /// Leaves a file called `new`.
    async fn uploads(&mut self, person: &Person<'_>) {
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
    async fn proofs(&mut self, person: &Person<'_>) {
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
    async fn keys(&mut self, person: &Person<'_>) {
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

    async fn files(&mut self, person: &Person<'_>) {
        let folder = self
            .note(
                person,
                asked("folder-create", "").body(json!({ "name": "folder" })),
            )
            .await;
        let body = json!({ "name": "folder", "on_conflict": "rename" });
        self.note(person, asked("folder-create", "renamed").body(body))
            .await;
        let folder = folder["id"].as_str().expect("a folder");
        self.note(person, asked("file-list", "the top")).await;
        let query = format!("parent={folder}");
        self.note(person, asked("file-list", "a folder").query(&query))
            .await;
        let found = asked("file-list", "one name").query("name=new");
        let found = self.note(person, found).await;
        let file = found["items"][0]["id"].as_str().expect("a file");
        self.note(person, asked("file-get", "a file").id(file)).await;
        self.note(person, asked("file-get", "a folder").id(folder)).await;
        self.other_reads(person, file).await;
        self.download_of_lost_bytes(person).await;
        self.note(person, asked("file-delete", "a file").id(file)).await;
        self.note(person, asked("file-delete", "a folder").id(folder))
            .await;
    }

    /// What reads, and has no cases above: once each.
    async fn other_reads(&mut self, person: &Person<'_>, file: &str) {
        const WITH_CASES: [&str; 5] = [
            "openapi-get",
            "upload-list",
            "upload-get",
            "file-list",
            "file-get",
        ];
        for endpoint in wire::ENDPOINTS.iter() {
            let is_for_everybody = !matches!(endpoint.caller, Caller::Operator(_));
            if endpoint.method == "GET" && is_for_everybody && !WITH_CASES.contains(&endpoint.function) {
                let read = asked(endpoint.function, "");
                let has_id = endpoint.path.contains("{id}");
                self.note(person, if has_id { read.id(file) } else { read }).await;
            }
        }
    }

    /// The file is at the target, and gone from the primary store.
    async fn download_of_lost_bytes(&mut self, person: &Person<'_>) {
        let stored = person.store("lost", None, &self.fresh(10), false, "fail").await;
        let file = stored.expect("stored");
        while self.world.work_on_messages().await {}
        let rows = self.world.rows();
        let node = rows.iter().find(|row| row["sk"] == format!("NODE#{file}"));
        let blob = node.expect("a node")["file"]["blob"].as_str().expect("a blob");
        let key = format!("blobs/{blob}");
        assert!(self.world.cloud.services().s3.remove_object(BUCKET, &key));
        for case in [
            "the object is gone, and nobody has noticed",
            "the object is known to be gone",
        ] {
            self.note(person, asked("file-download", case).id(&file)).await;
        }
        // So that the reconciler has nothing to repair.
        let path = format!("/v1/files/{file}");
        assert_eq!(person.call("DELETE", &path, None).await.status, 204);
    }

    /// For operators.
    async fn targets(&mut self, person: &Person<'_>) {
        let operator = json!({ "username": person.username, "role": "operator" });
        let _ = self.world.invoke("account-set-role", operator).await;
        self.note(person, asked("target-list", "one target")).await;
        let redrive = asked("target-redrive", "nothing failed, no dead letters");
        self.note(person, redrive.id("near")).await;
    }

    /// What ends sessions: of somebody else each time.
    async fn endings(&mut self) {
        let person = self.person().await;
        let body = json!({ "current_password": PASSWORD, "new_password": PASSWORD });
        self.note(&person, asked("account-set-password", "").body(body))
            .await;
        person.sign_in().await.expect("signed in");
        let sessions = person.call("GET", "/v1/sessions", None).await;
        let mut sessions = sessions.body["items"].as_array().expect("sessions").iter();
        let other = sessions
            .find(|session| session["current"] != true)
            .expect("another");
        let other = other["id"].as_str().expect("an id");
        self.note(&person, asked("session-revoke", "").id(other)).await;
        self.note(&person, asked("session-delete", "")).await;
        let person = self.person().await;
        let reset = json!({ "action": "reset_password", "username": person.username });
        let code = self.code(reset).await;
        let body = json!({ "username": person.username, "code": code, "password": PASSWORD });
        self.note(&person, asked("account-reset-password", "").body(body))
            .await;
        let person = self.person().await;
        self.note(&person, asked("session-delete-all", "")).await;
        let person = self.person().await;
        let body = json!({ "current_password": PASSWORD });
        self.note(&person, asked("account-delete", "").body(body)).await;
    }
}

/// The fewest bytes for which a proof is asked.
fn provable() -> usize {
    usize::try_from(MIN_SIZE).expect("it is not large")
}
