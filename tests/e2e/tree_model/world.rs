//! The real tree and the model, side by side.

use super::model::{Code, Model, Node, PlacedAt, Upload, name};
use super::step::{New, OnConflict, QUOTA, SIZES, Step};
use crate::harness::audit;
use crate::harness::bytes::fresh;
use crate::harness::http::HttpResponse;
use crate::harness::person::{Person, content_id};
use crate::harness::proof::proof_of;
use bytes::Bytes;
use client::types::NodeKind;
use serde_json::{Value, json};

pub(super) struct World {
    pub(super) person: Person,
    /// Somebody who has the largest content.
    other: Person,
    contents: Vec<Bytes>,
    pub(super) model: Model,
}

/// Whether the two are the same; says so if they are not.
macro_rules! same {
    ($real:expr, $model:expr, $($what:tt)+) => {
        let (real, model) = (&$real, &$model);
        if real != model {
            return Err(format!("{}: {real:?}, and the model has {model:?}", format!($($what)+)));
        }
    };
}

impl World {
    pub(super) async fn new() -> Self {
        let (person, other) = (Person::not_signed_in().await, Person::not_signed_in().await);
        person.set_quota(QUOTA).await;
        let contents: Vec<Bytes> = SIZES.map(fresh).into();
        let shared = contents.last().unwrap();
        let upload = other.sent("mine", shared).await.id;
        other.complete(&upload).await.expect(200);
        Self {
            person,
            other,
            contents,
            model: Model::default(),
        }
    }

    /// Takes a step in both, and compares.
    pub(super) async fn take(&mut self, step: &Step) -> Result<(), String> {
        let touched = match step {
            Step::MakeFolder {
                parent,
                name,
                on_conflict,
            } => self.make_folder(*parent, *name, *on_conflict).await?,
            Step::Begin(new) => self.begin(*new).await?,
            Step::Upload(new) => {
                let (before, parent) = (self.model.uploads.len(), self.begin(*new).await?);
                if self.model.uploads.len() > before {
                    self.complete(before).await?;
                }
                parent
            }
            Step::Complete(number) => match self.upload(*number) {
                Some(number) => self.complete(number).await?,
                None => None,
            },
            Step::Abort(number) => {
                self.abort(*number).await?;
                None
            }
            Step::Delete(number) => self.delete(*number).await?,
            Step::Move(to) => self.move_node(*to).await?,
            Step::Copy(to) => self.copy_file(*to).await?,
            Step::RestoreVersion(node, version) => self.restore_version(*node, *version).await?,
            Step::Get(number) => {
                self.get(*number).await?;
                None
            }
        };
        self.is_the_same_in(touched.as_deref()).await?;
        same!(self.person.used().await, self.model.used(), "bytes used");
        Ok(())
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> HttpResponse {
        self.person.call("POST", path, Some(body)).await
    }

    async fn make_folder(
        &mut self,
        parent: usize,
        number: usize,
        on_conflict: OnConflict,
    ) -> Result<Option<String>, String> {
        let (parent, name) = (self.model.parent(parent), name(number));
        let body = json!({ "name": name, "parent": parent, "on_conflict": on_conflict.word() });
        let answer = self.post("/folders", &body).await;
        match self.model.place(parent.as_deref(), name, on_conflict) {
            Err(code) => refused(&answer, 409, code)?,
            Ok(place) => {
                let made = done(&answer, 201)?;
                self.placed(place, &made, parent.clone(), None)?;
            }
        }
        Ok(parent)
    }

    /// What the service made is what the model makes.
    pub(super) fn placed(
        &mut self,
        place: PlacedAt,
        made: &Value,
        parent: Option<String>,
        content: Option<usize>,
    ) -> Result<(), String> {
        let id = made["id"].as_str().unwrap_or_default().to_owned();
        match &place {
            PlacedAt::Beside(name) => {
                same!(made["name"], *name, "the new name");
                let known = self.model.nodes.iter().any(|node| node.id == id);
                same!(known, false, "whether {id} was there before");
            }
            PlacedAt::Into(number) => {
                same!(
                    id,
                    self.model.nodes[*number].id,
                    "the node whose content is replaced"
                );
            }
        }
        self.model.put(place, &id, parent, content);
        Ok(())
    }

    async fn begin(&mut self, new: New) -> Result<Option<String>, String> {
        let (parent, name) = (self.model.parent(new.parent), name(new.name));
        let content = new.content % SIZES.len();
        let bytes = self.contents[content].clone();
        let mut body = json!({
            "name": name, "parent": parent, "size": bytes.len(), "on_conflict": new.on_conflict.word(),
        });
        if new.announced {
            body["content_id"] = json!(content_id(&bytes));
        }
        let answer = self.post("/uploads", &body).await;
        let place = match self.model.place(parent.as_deref(), name, new.on_conflict) {
            Ok(place) => place,
            Err(code) => {
                refused(&answer, 409, code)?;
                return Ok(parent);
            }
        };
        let instant = new.announced && self.model.has(content);
        if !self.model.has_room(content, Some(&place).filter(|_| instant)) {
            refused(&answer, 403, "quota_exceeded")?;
            return Ok(parent);
        }
        if instant {
            let upload = done(&answer, 201)?;
            same!(upload["state"], "complete", "content that the account has");
            self.placed(place, &upload["file"], parent.clone(), Some(content))?;
            return Ok(parent);
        }
        let challenged = new.announced && content == SIZES.len() - 1;
        let upload = done(&answer, if challenged { 200 } else { 201 })?;
        let id = upload["id"].as_str().unwrap_or_default();
        if challenged {
            same!(
                upload["state"],
                "proof_required",
                "content that somebody else has"
            );
            let proof = proof_of(&upload["challenge"], &bytes);
            let proven = done(&self.person.prove(id, &proof).await, 200)?;
            same!(proven["state"], "complete", "a right answer");
            self.placed(place, &proven["file"], parent.clone(), Some(content))?;
            return Ok(parent);
        }
        same!(upload["state"], "open", "a new upload");
        self.person.send_parts(id, &bytes, [1]).await;
        self.model.uploads.push(Upload {
            id: id.to_owned(),
            parent: parent.clone(),
            name,
            content,
            on_conflict: new.on_conflict,
        });
        Ok(parent)
    }

    /// Which of the open uploads a number stands for.
    fn upload(&self, number: usize) -> Option<usize> {
        number.checked_rem(self.model.uploads.len())
    }

    async fn complete(&mut self, number: usize) -> Result<Option<String>, String> {
        let upload = self.model.uploads[number].clone();
        let answer = self.person.complete(&upload.id).await;
        match self
            .model
            .place(upload.parent.as_deref(), upload.name, upload.on_conflict)
        {
            Err(code) => refused(&answer, 409, code)?,
            Ok(place) => {
                let made = done(&answer, 200)?;
                self.model.uploads.remove(number);
                self.placed(place, &made["file"], upload.parent.clone(), Some(upload.content))?;
            }
        }
        Ok(upload.parent)
    }

    async fn abort(&mut self, number: usize) -> Result<(), String> {
        if let Some(number) = self.upload(number) {
            let upload = self.model.uploads.remove(number);
            let path = format!("/uploads/{}", upload.id);
            same!(
                self.person.call("DELETE", &path, None).await.status,
                204,
                "an abort"
            );
        }
        Ok(())
    }

    async fn delete(&mut self, number: usize) -> Result<Option<String>, String> {
        let Some(number) = number.checked_rem(self.model.nodes.len()) else {
            return Ok(None);
        };
        let node = self.model.nodes[number].clone();
        let path = format!("/files/{}", node.id);
        if !node.deleted && !self.model.list(Some(&node.id)).is_empty() {
            return self.trashed_and_restored(&path, &node).await;
        }
        let path = format!("{path}?permanently=true");
        let answer = self.person.call("DELETE", &path, None).await;
        if node.deleted {
            refused(&answer, 404, "not_found")?;
        } else {
            // It is said when uploads were going into it.
            let into = |upload: &&Upload| upload.parent.as_ref() == Some(&node.id);
            let open = self.model.uploads.iter().filter(into).count();
            if open > 0 {
                same!(
                    answer.expect(200).json(),
                    json!({ "open_uploads": open }),
                    "a delete"
                );
            } else {
                same!(answer.status, 204, "a delete");
            }
            self.model.nodes[number].deleted = true;
        }
        // What was in a folder that is gone is nobody's.
        Ok(node
            .parent
            .filter(|parent| self.model.folders().contains(&Some(parent.clone()))))
    }

    /// A folder that is not empty goes to the trash, and comes back with all that is in it.
    async fn trashed_and_restored(&self, path: &str, folder: &Node) -> Result<Option<String>, String> {
        let trashed = self.person.call("DELETE", path, None).await;
        same!(trashed.status / 100, 2, "into the trash");
        let listed = done(&self.person.call("GET", "/trash", None).await, 200)?;
        same!(listed["items"].as_array().map(Vec::len), Some(1), "the trash");
        same!(listed["items"][0]["node"]["id"], folder.id, "the trash");
        let found = self.person.api.find(folder.parent.as_deref(), &folder.name).await;
        same!(found.map(|found| found.is_none()).ok(), Some(true), "its place");
        let path = format!("/trash/{}/restore", folder.id);
        done(&self.person.call("POST", &path, None).await, 200)?;
        Ok(folder.parent.clone())
    }

    async fn get(&self, number: usize) -> Result<(), String> {
        let Some(number) = number.checked_rem(self.model.nodes.len()) else {
            return Ok(());
        };
        let node = &self.model.nodes[number];
        let answer = self
            .person
            .call("GET", &format!("/files/{}", node.id), None)
            .await;
        if node.deleted {
            return refused(&answer, 404, "not_found");
        }
        let real = serde_json::from_value(done(&answer, 200)?).map_err(|error| error.to_string())?;
        self.is_the_same(&real, node)
    }

    pub(super) fn is_the_same(&self, real: &client::types::Node, node: &Node) -> Result<(), String> {
        same!(real.id, node.id, "id");
        same!(real.name, node.name, "name of {}", node.id);
        same!(real.parent, node.parent, "folder of {}", node.name);
        let bytes = node.content.map(|content| &self.contents[content]);
        let kind = if bytes.is_some() {
            NodeKind::File
        } else {
            NodeKind::Folder
        };
        same!(real.kind, kind, "kind of {}", node.name);
        same!(
            real.size,
            bytes.map(|bytes| bytes.len() as u64),
            "size of {}",
            node.name
        );
        same!(
            real.content_id,
            bytes.map(|bytes| content_id(bytes)),
            "content of {}",
            node.name
        );
        Ok(())
    }

    /// A folder holds what the model says, in the order of the names. Nothing is in one that is not there.
    pub(super) async fn is_the_same_in(&self, parent: Option<&str>) -> Result<(), String> {
        if !self
            .model
            .folders()
            .iter()
            .any(|folder| folder.as_deref() == parent)
        {
            return Ok(());
        }
        let real = self
            .person
            .api
            .all_files(parent)
            .await
            .map_err(|error| error.to_string())?;
        let model = self.model.list(parent);
        let names =
            |nodes: &[client::types::Node]| nodes.iter().map(|node| node.name.clone()).collect::<Vec<_>>();
        let expected: Vec<String> = model.iter().map(|node| node.name.clone()).collect();
        same!(names(&real), expected, "a list");
        for (real, node) in real.iter().zip(model) {
            self.is_the_same(real, node)?;
        }
        Ok(())
    }

    /// The whole tree and all uploads are what the model says; and all that must hold does.
    pub(super) async fn is_the_model_all_over(&self) -> Result<(), String> {
        for folder in self.model.folders() {
            self.is_the_same_in(folder.as_deref()).await?;
        }
        self.versions_are_the_same().await?;
        let mut real: Vec<String> = self
            .person
            .api
            .all_uploads()
            .await
            .map_err(|error| error.to_string())?
            .into_iter()
            .map(|upload| upload.id)
            .collect();
        let mut model: Vec<String> = self
            .model
            .uploads
            .iter()
            .map(|upload| upload.id.clone())
            .collect();
        real.sort_unstable();
        model.sort_unstable();
        same!(real, model, "open uploads");
        audit::world(&[&self.person, &self.other], "after all steps").await;
        Ok(())
    }
}

/// The answer of a request that is done.
pub(super) fn done(answer: &HttpResponse, status: u16) -> Result<Value, String> {
    same!(answer.status, status, "the status of {}", answer.text());
    Ok(answer.json())
}

/// Whether a request was refused, with this code.
pub(super) fn refused(answer: &HttpResponse, status: u16, code: Code) -> Result<(), String> {
    same!(answer.status, status, "the status of {}", answer.text());
    same!(answer.json()["code"], code, "the code");
    Ok(())
}
