//! The requests, by resource.

use super::table::{Request, Table, request};
use crate::harness::aws;
use crate::harness::bytes::{PART, fresh};
use crate::harness::person::{PASSWORD, Person, content_id, invitation, new_username, session_of};
use crate::harness::proof::{PROVABLE, proof_of};
use crate::harness::targets;
use crate::harness::wait::until;
use client::types::ReplicaState;
use domain::content::PartDigest;
use serde_json::{Value, json};
use wire::Caller;

impl Table {
    pub(super) async fn accounts(&mut self) {
        let username = self.person.username.clone();
        let new = json!({ "username": new_username(), "password": PASSWORD });
        self.note(request("account-create", "").body(new)).await;
        let code = invitation(&json!({ "action": "create" })).await.code;
        let new = json!({ "username": new_username(), "password": PASSWORD, "invitation": code });
        self.note(request("account-create", "by invitation").body(new))
            .await;
        let known = json!({ "username": username, "password": PASSWORD });
        let session = self.note(request("session-create", "").body(known)).await;
        let refresh = json!({ "refresh_token": session["refresh_token"] });
        for case in ["", "the same again"] {
            self.note(request("session-refresh", case).body(refresh.clone()))
                .await;
        }
        let token = json!({ "name": "CI", "scopes": ["read"], "expires_in_days": 1 });
        let token = self.note(request("token-create", "").body(token)).await;
        let id = token["id"].as_str().unwrap();
        self.note(request("token-delete", "").id(id)).await;
    }

    /// What ends sessions: of somebody else each time.
    pub(super) async fn endings(&mut self) {
        let body = json!({ "current_password": PASSWORD, "new_password": PASSWORD });
        self.note(request("account-set-password", "").body(body)).await;
        let other = self.person.sign_in().await;
        let other = session_of(&other);
        self.note(request("session-revoke", "").id(&other)).await;
        self.note(request("session-delete", "")).await;
        self.person = Person::new().await;
        let code = self.person.password_code().await;
        let body = json!({ "username": self.person.username, "code": code, "password": PASSWORD });
        self.note(request("account-reset-password", "").body(body)).await;
        self.person = Person::new().await;
        self.note(request("session-delete-all", "")).await;
        self.person = Person::new().await;
        let body = json!({ "current_password": PASSWORD });
        self.note(request("account-delete", "").body(body)).await;
    }

    /// Leaves a file called `new`.
    pub(super) async fn uploads(&mut self) {
        let bytes = fresh(PART + 1);
        let new = |name: &str| json!({ "name": name, "size": bytes.len(), "content_id": content_id(&bytes) });
        let unsaid = json!({ "name": "unsaid", "size": bytes.len() });
        let create = |case| request("upload-create", case);
        let unsaid = self.note(create("content not announced").body(unsaid)).await;
        let unsaid = unsaid["id"].as_str().unwrap();
        self.person.api.abort_upload(unsaid).await.unwrap();
        let upload = self.note(create("new content").body(new("new"))).await;
        let upload = upload["id"].as_str().unwrap().to_owned();
        self.note(request("upload-list", "")).await;
        let part = |number: u32, bytes: &[u8]| json!({ "number": number, "sha256": PartDigest::of(bytes) });
        let parts = json!({ "parts": [part(1, &bytes[..PART]), part(2, &bytes[PART..])] });
        let sign = |case| request("upload-sign-parts", case).id(&upload).body(parts.clone());
        self.note(sign("the first parts")).await;
        self.note(sign("more parts")).await;
        self.person.send_parts(&upload, &bytes, [1, 2]).await;
        self.note(request("upload-get", "open").id(&upload)).await;
        self.note(request("upload-complete", "new content").id(&upload))
            .await;
        self.note(request("upload-complete", "again").id(&upload)).await;
        self.note(request("upload-get", "complete").id(&upload)).await;
        let known = self.person.sent("known", &bytes).await.id;
        self.note(request("upload-complete", "known content").id(&known))
            .await;
        let moved = self.person.sent("moved", &bytes).await.id;
        let complete = request("upload-complete", "known content, by another name").id(&moved);
        self.note(complete.body(json!({ "name": "elsewhere" }))).await;
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
            self.note(create(case).body(body)).await;
        }
        let aborted = self.person.sent("aborted", &fresh(10)).await.id;
        self.note(request("upload-abort", "").id(&aborted)).await;
    }

    /// Bytes that somebody else has.
    pub(super) async fn proofs(&mut self) {
        let other = Person::new().await;
        for (case, on_conflict) in [
            ("right", "fail"),
            ("right, renamed", "rename"),
            ("right, in the place of another file", "replace"),
            ("wrong", "fail"),
        ] {
            let bytes = fresh(PROVABLE);
            other.store(case, None, &bytes).await;
            if on_conflict != "fail" {
                self.person.store(case, None, &fresh(10)).await;
            }
            let body = json!({
                "name": case, "size": bytes.len(), "content_id": content_id(&bytes), "on_conflict": on_conflict,
            });
            let upload = if case == "right" {
                let create = request("upload-create", "content that another account has");
                self.note(create.body(body)).await
            } else {
                self.person.call("POST", "/uploads", Some(&body)).await.json()
            };
            let has = if case == "wrong" { fresh(PROVABLE) } else { bytes };
            let proof = json!({ "proof": proof_of(&upload["challenge"], &has) });
            let id = upload["id"].as_str().unwrap();
            let answered = self.note(request("upload-prove", case).id(id).body(proof)).await;
            let state = if case == "wrong" { "open" } else { "complete" };
            assert_eq!(answered["state"], state, "{case}: {answered}");
        }
    }

    /// Creates that can be sent again.
    pub(super) async fn keys(&mut self) {
        for (function, body) in [
            ("upload-create", json!({ "name": "keyed", "size": 10 })),
            ("folder-create", json!({ "name": "keyed" })),
        ] {
            let create = |case| request(function, case).key("again").body(body.clone());
            let first = self.note(create("with an `Idempotency-Key`")).await;
            assert_eq!(self.note(create("with an `Idempotency-Key`, again")).await, first);
        }
    }

    pub(super) async fn files(&mut self) {
        let body = json!({ "name": "folder" });
        self.note(request("folder-create", "").body(body)).await;
        let body = json!({ "name": "folder", "on_conflict": "rename" });
        self.note(request("folder-create", "renamed").body(body)).await;
        let folder = self.person.api.find(None, "folder").await.unwrap().unwrap().id;
        let file = self.person.api.find(None, "new").await.unwrap().unwrap().id;
        self.note(request("file-list", "the top")).await;
        self.note(request("file-list", "a folder").query("parent", &folder))
            .await;
        self.note(request("file-list", "one name").query("name", "new"))
            .await;
        self.note(request("file-get", "a file").id(&file)).await;
        self.note(request("file-get", "a folder").id(&folder)).await;
        self.other_reads(&file).await;
        self.download_of_lost_bytes().await;
        self.note(request("file-delete", "a file").id(&file)).await;
        self.note(request("file-delete", "a folder").id(&folder)).await;
    }

    /// What reads, and has no cases above: once each.
    pub(super) async fn other_reads(&mut self, file: &str) {
        for endpoint in wire::ENDPOINTS.iter() {
            let is_for_everybody = !matches!(endpoint.caller, Caller::Operator(_));
            if endpoint.method == "GET" && is_for_everybody && !self.seen.contains(endpoint.function) {
                let id = endpoint.path.starts_with("/v1/files/{id}").then_some(file);
                let request = request(endpoint.function, "");
                self.note(Request { id, ..request }).await;
            }
        }
    }

    /// The file is at the targets, and gone from the primary store.
    pub(super) async fn download_of_lost_bytes(&mut self) {
        let file = self.person.store("lost", None, &fresh(10)).await.file;
        until("it is copied", async || {
            let replicas = self.person.api.file(&file.id).await.unwrap().replicas.unwrap();
            let there = replicas
                .iter()
                .all(|replica| replica.state == ReplicaState::Available);
            there.then_some(())
        })
        .await;
        let row = aws::item(&self.person.partition(), &format!("NODE#{}", file.id))
            .await
            .unwrap();
        aws::lose_object(&format!("blobs/{}", row["file"]["blob"].as_str().unwrap())).await;
        for case in [
            "the object is gone, and nobody has noticed",
            "the object is known to be gone",
        ] {
            self.note(request("file-download", case).id(&file.id)).await;
        }
    }

    /// For operators.
    pub(super) async fn targets(&mut self) {
        self.person.become_operator().await;
        let target_registry = aws::item(&self.target_registry.pk, "TARGETS").await.unwrap();
        let one = &target_registry["members"][0];
        let members = |members: &[&Value]| json!({ "members": members });
        // The page must not depend on how many the stack has.
        aws::set(&self.target_registry.pk, "TARGETS", &members(&[one])).await;
        self.note(request("target-list", "one target")).await;
        let target = targets::new_name("nothing");
        let mine = json!({
            "name": target, "kind": "ceph", "status": "active", "only_by_policy": true,
        });
        aws::set(&self.target_registry.pk, "TARGETS", &members(&[one, &mine])).await;
        self.note(request("target-redrive", "nothing failed, no dead letters").id(&target))
            .await;
    }
}
