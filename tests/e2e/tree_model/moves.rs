//! Moves, in both.

use super::model::{Code, Model, Node, PlacedAt, name, numbered};
use super::step::{Move, OnConflict};
use super::world::{World, done, refused};
use serde_json::json;

/// What becomes of a move.
enum Moved {
    /// It is where it is wanted, or has a number for want of the name.
    Stays,
    To(PlacedAt),
}

impl Model {
    /// Whether a folder is another one, or within it.
    fn is_within(&self, folder: Option<&str>, other: &str) -> bool {
        let mut next = folder.map(str::to_owned);
        while let Some(id) = next {
            if id == other {
                return true;
            }
            let there = self.nodes.iter().find(|node| node.id == id);
            next = there.and_then(|node| node.parent.clone());
        }
        false
    }

    fn moved(
        &self,
        node: &Node,
        parent: Option<&str>,
        name: &str,
        on_conflict: OnConflict,
    ) -> Result<Moved, (u16, Code)> {
        let (is_folder, stays) = (node.content.is_none(), node.parent.as_deref() == parent);
        if is_folder && on_conflict == OnConflict::Replace {
            return Err((400, "invalid_request"));
        }
        if stays && node.name == name {
            return Ok(Moved::Stays);
        }
        if is_folder && !stays {
            let there = self.folders().iter().any(|folder| folder.as_deref() == parent);
            if there && self.is_within(parent, &node.id) {
                return Err((409, "within_itself"));
            }
        }
        let place = self
            .place(parent, name, on_conflict)
            .map_err(|code| (409, code))?;
        let has_number = (1..100).any(|number| numbered(name, number) == node.name);
        Ok(match place {
            PlacedAt::Beside(other) if other != name && stays && has_number => Moved::Stays,
            place => Moved::To(place),
        })
    }
}

impl World {
    /// Returns the folder that it is in then.
    pub(super) async fn move_node(&mut self, to: Move) -> Result<Option<String>, String> {
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
        let mut body = json!({ "on_conflict": to.on_conflict.word() });
        if to.parent.is_some() {
            body["parent"] = json!(parent);
        }
        if to.name.is_some() {
            body["name"] = json!(new);
        }
        let path = format!("/files/{}", node.id);
        let answer = self.person.call("PATCH", &path, Some(&body)).await;
        if node.deleted {
            refused(&answer, 404, "not_found")?;
            return Ok(None);
        }
        match self.model.moved(&node, parent.as_deref(), &new, to.on_conflict) {
            Err((status, code)) => refused(&answer, status, code)?,
            Ok(moved) => {
                if let Moved::To(place) = moved {
                    let there = &mut self.model.nodes;
                    let name = match place {
                        PlacedAt::Beside(name) => name,
                        PlacedAt::Into(loser) => {
                            there[loser].deleted = true;
                            self.person
                                .api
                                .delete_file(&there[loser].id)
                                .await
                                .map_err(|error| format!("not in the trash: {error}"))?;
                            new
                        }
                    };
                    (there[number].name, there[number].parent) = (name, parent.clone());
                }
                let real = serde_json::from_value(done(&answer, 200)?).map_err(|error| error.to_string())?;
                self.is_the_same(&real, &self.model.nodes[number])?;
            }
        }
        self.is_the_same_in(node.parent.as_deref()).await?;
        Ok(parent)
    }
}
