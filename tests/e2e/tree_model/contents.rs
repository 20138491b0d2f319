//! Copies of files, and contents that files had, in both.

use super::model::{PlacedAt, name};
use super::step::Move;
use super::world::{World, done, refused};
use serde_json::json;

impl World {
    /// Returns the folder that the copy is in.
    pub(super) async fn copy_file(&mut self, to: Move) -> Result<Option<String>, String> {
        let Some(number) = to.node.checked_rem(self.model.nodes.len()) else {
            return Ok(None);
        };
        let node = self.model.nodes[number].clone();
        let parent = match to.parent {
            Some(parent) => self.model.parent(parent),
            None => node.parent.clone(),
        };
        let new = to
            .name
            .map_or_else(|| node.name.clone(), |number| name(number).to_owned());
        let body = json!({ "name": new, "parent": parent, "on_conflict": to.on_conflict.word() });
        let answer = self.post(&format!("/files/{}/copy", node.id), &body).await;
        if node.deleted {
            refused(&answer, 404, "not_found")?;
            return Ok(None);
        }
        let Some(content) = node.content else {
            refused(&answer, 400, "invalid_request")?;
            return Ok(None);
        };
        match self.model.place(parent.as_deref(), &new, to.on_conflict) {
            Err(code) => refused(&answer, 409, code)?,
            Ok(place) if place != PlacedAt::Into(number) && !self.model.has_room(content, Some(&place)) => {
                refused(&answer, 403, "quota_exceeded")?;
            }
            Ok(place) => {
                let made = done(&answer, 201)?;
                self.placed(place, &made, parent.clone(), Some(content))?;
            }
        }
        Ok(parent)
    }

    /// Returns the folder of the file.
    pub(super) async fn restore_version(
        &mut self,
        node: usize,
        version: usize,
    ) -> Result<Option<String>, String> {
        let Some(node) = node.checked_rem(self.model.nodes.len()) else {
            return Ok(None);
        };
        let there = &mut self.model.nodes[node];
        let Some(index) = version
            .checked_rem(there.versions.len())
            .filter(|_| !there.deleted)
        else {
            return Ok(None);
        };
        let (number, content) = there.versions[index];
        // What it has already it does not get once more.
        if there.content != Some(content) {
            there.versions.remove(index);
            there.gets(Some(content));
        }
        let (id, parent) = (there.id.clone(), there.parent.clone());
        let path = format!("/versions/{id}.{number}/restore");
        let restored = done(&self.person.call("POST", &path, None).await, 200)?;
        let real = serde_json::from_value(restored).map_err(|error| error.to_string())?;
        self.is_the_same(&real, &self.model.nodes[node])?;
        Ok(parent)
    }

    /// Each file has and had what the model says.
    pub(super) async fn versions_are_the_same(&self) -> Result<(), String> {
        for node in self
            .model
            .nodes
            .iter()
            .filter(|node| !node.deleted && node.content.is_some())
        {
            let real = self.person.api.versions(&node.id).await;
            let real = real.map_err(|error| error.to_string())?;
            let mut real: Vec<u64> = real.iter().map(|version| version.number).collect();
            real.reverse();
            let numbers = node.versions.iter().map(|(number, _)| *number);
            let mut model: Vec<u64> = numbers.chain([node.number]).collect();
            model.sort_unstable();
            if real != model {
                return Err(format!(
                    "{}: versions {real:?}, and the model has {model:?}",
                    node.name
                ));
            }
        }
        Ok(())
    }
}
