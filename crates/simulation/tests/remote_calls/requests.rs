//! The requests, by resource.

mod uploads;

use crate::table::{Table, asked};
use serde_json::json;
use simulation::person::{PASSWORD, Person};
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

    async fn files(&mut self, person: &Person<'_>) {
        let folder = self
            .note(
                person,
                asked("folder-create", "").body(json!({ "name": "folder" })),
            )
            .await;
        let body = json!({ "name": "folder", "on_conflict": "rename" });
        let other = self
            .note(person, asked("folder-create", "renamed").body(body))
            .await;
        let folder = folder["id"].as_str().expect("a folder");
        self.note(person, asked("file-list", "the top")).await;
        let query = format!("parent={folder}");
        self.note(person, asked("file-list", "a folder").query(&query))
            .await;
        let found = asked("file-list", "one name").query("name=new");
        let found = self.note(person, found).await;
        let file = found["items"][0]["id"].as_str().expect("a file");
        for (case, query) in [
            ("nothing is found", "q=no+such+name"),
            ("found at the top", "q=NEW"),
        ] {
            self.note(person, asked("file-search", case).query(query)).await;
        }
        self.note(person, asked("file-get", "a file").id(file)).await;
        self.note(person, asked("file-get", "a folder").id(folder)).await;
        self.other_reads(person, file).await;
        self.download_of_lost_bytes(person).await;
        for (case, node, to) in [
            ("a file gets another name", file, json!({ "name": "renamed" })),
            (
                "a file gets into another folder",
                file,
                json!({ "parent": folder }),
            ),
            ("a folder gets another name", folder, json!({ "name": "renamed" })),
            (
                "a folder gets into another folder",
                folder,
                json!({ "parent": other["id"] }),
            ),
        ] {
            self.note(person, asked("file-update", case).id(node).body(to))
                .await;
        }
        let by_path = asked("file-list", "one name in a folder, by its path");
        let listed = self
            .note(person, by_path.query("path=/folder+(1)/renamed&name=renamed"))
            .await;
        assert_eq!(listed["items"][0]["id"], file, "{listed}");
        let query = format!("q=renamed&under={folder}");
        let case = "found in a folder, within another folder";
        let found = self.note(person, asked("file-search", case).query(&query)).await;
        assert_eq!(found["items"][0]["node"]["id"], file, "{found}");
        self.copies(person, file).await;
        for (case, node) in [("a file", file), ("a folder", folder)] {
            self.note(
                person,
                asked("file-delete", &format!("{case} goes to the trash")).id(node),
            )
            .await;
        }
        self.note(person, asked("trash-list", "both are in it")).await;
        for (case, node) in [("a folder", folder), ("a file", file)] {
            self.note(person, asked("trash-restore", case).id(node)).await;
        }
        let case = "a folder with entries is removed";
        self.note(
            person,
            asked("file-delete", case).id(folder).query("permanently=true"),
        )
        .await;
        let other = other["id"].as_str().expect("an id");
        let case = "an empty folder is removed";
        self.note(
            person,
            asked("file-delete", case).id(other).query("permanently=true"),
        )
        .await;
        self.note(person, asked("trash-empty", "")).await;
        self.versions(person).await;
        self.batches(person).await;
    }

    /// A file with two versions, of which one is restored.
    async fn versions(&mut self, person: &Person<'_>) {
        let mut file = String::new();
        for conflict in ["fail", "replace", "replace"] {
            let stored = person
                .store("versions", None, &self.fresh(10), false, conflict)
                .await;
            file = stored.expect("stored");
        }
        self.note(person, asked("version-list", "").id(&file)).await;
        let earlier = asked("file-download", "a version");
        self.note(person, earlier.id(&file).query("number=1")).await;
        let (first, second) = (format!("{file}.1"), format!("{file}.2"));
        let kept = json!({ "kept": true });
        self.note(person, asked("version-update", "").id(&first).body(kept))
            .await;
        self.note(person, asked("version-restore", "").id(&first)).await;
        self.note(person, asked("version-delete", "").id(&second)).await;
        let path = format!("/v1/files/{file}?permanently=true");
        let case = "a file with a version is removed";
        let removed = asked("file-delete", case).id(&file).query("permanently=true");
        self.note(person, removed).await;
        let gone = person.call("DELETE", &path, None).await;
        assert_eq!(gone.status, 404, "{gone:?}");
    }

    /// Forty files of one folder, with it, and back.
    async fn batches(&mut self, person: &Person<'_>) {
        let mut folders = Vec::new();
        for name in ["from", "to"] {
            let folder = json!({ "name": name });
            let made = person.call("POST", "/v1/folders", Some(folder)).await;
            folders.push(made.body["id"].as_str().expect("a folder").to_owned());
        }
        let first = person
            .store("0", Some(&folders[0]), &self.fresh(10), false, "fail")
            .await;
        let mut files = vec![first.expect("stored")];
        for number in 1..40 {
            let path = format!("/v1/files/{}/copy", files[0]);
            let copy = json!({ "name": number.to_string() });
            let copied = person.call("POST", &path, Some(copy)).await;
            files.push(copied.body["id"].as_str().expect("a file").to_owned());
        }
        let items = |ids: &[String]| ids.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>();
        let (files, folder) = (items(&files), items(&folders[..1]));
        for (case, body) in [
            (
                "40 files get into another folder",
                json!({ "op": "move", "items": files, "parent": folders[1] }),
            ),
            (
                "a folder gets into another folder",
                json!({ "op": "move", "items": folder, "parent": folders[1] }),
            ),
            (
                "40 files go to the trash",
                json!({ "op": "trash", "items": files }),
            ),
            (
                "40 files are restored",
                json!({ "op": "restore", "items": files }),
            ),
            ("40 files are removed", json!({ "op": "delete", "items": files })),
            (
                "40 files that are not there",
                json!({ "op": "delete", "items": files }),
            ),
        ] {
            self.note(person, asked("file-batch", case).body(body)).await;
        }
        let gone = person.remove(&folders[1]).await;
        assert_eq!(gone.status, 204, "{gone:?}");
    }

    /// Of a file that is called `renamed`, in a folder. It stays there alone.
    async fn copies(&mut self, person: &Person<'_>, file: &str) {
        let other = person.store("other", None, &self.fresh(10), false, "fail").await;
        let mut made = vec![other.expect("stored")];
        for (case, to) in [
            ("to a free name", json!({ "name": "copy", "parent": null })),
            (
                "renamed",
                json!({ "name": "copy", "parent": null, "on_conflict": "rename" }),
            ),
            (
                "in the place of another file",
                json!({ "name": "other", "parent": null, "on_conflict": "replace" }),
            ),
            ("in its own place", json!({ "on_conflict": "replace" })),
        ] {
            let copied = self
                .note(person, asked("file-copy", case).id(file).body(to))
                .await;
            made.push(copied["id"].as_str().expect("a file").to_owned());
        }
        let keyed = json!({ "name": "keyed copy", "parent": null });
        for case in ["with an `Idempotency-Key`", "with an `Idempotency-Key`, again"] {
            let copy = asked("file-copy", case).id(file).key("copy");
            let copied = self.note(person, copy.body(keyed.clone())).await;
            made.push(copied["id"].as_str().expect("a file").to_owned());
        }
        made.sort();
        made.dedup();
        for copy in made.iter().filter(|copy| *copy != file) {
            let gone = person.remove(copy).await;
            assert_eq!(gone.status, 204, "{gone:?}");
        }
    }

    /// What reads, and has no cases above: once each.
    async fn other_reads(&mut self, person: &Person<'_>, file: &str) {
        const WITH_CASES: [&str; 6] = [
            "openapi-get",
            "upload-list",
            "upload-get",
            "file-list",
            "file-search",
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
        assert_eq!(person.remove(&file).await.status, 204);
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
