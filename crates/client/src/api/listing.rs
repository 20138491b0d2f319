//! What is in folders.

use super::{Api, all, each_page};
use crate::error::ApiError;
use crate::http::Call;
use crate::types::{Found, Node, Page};
use domain::name::Name;
use domain::path::Path;
use wire::file;

/// How many files and folders to ask for per page.
const FILES_LIMIT: &str = "1000";

impl Api {
    /// `GET /v1/files`: one page of what is in a folder (`None`: at the top), by name.
    ///
    /// # Errors
    /// `not_found`, and whatever befalls every call.
    pub async fn list_files(
        &self,
        parent: Option<&str>,
        cursor: Option<&str>,
    ) -> Result<Page<Node>, ApiError> {
        let call = Call::to::<file::List>()
            .query("parent", parent)
            .query("cursor", cursor);
        self.http.json(call.query("limit", Some(FILES_LIMIT))).await
    }

    /// All pages of [`Api::list_files`].
    ///
    /// # Errors
    /// `not_found`, and whatever befalls every call.
    pub async fn all_files(&self, parent: Option<&str>) -> Result<Vec<Node>, ApiError> {
        all(|cursor| async move { self.list_files(parent, cursor.as_deref()).await }).await
    }

    /// `GET /v1/files?name=`: the entry of this name in a folder, if there is one.
    ///
    /// # Errors
    /// `not_found` (parent), and whatever befalls every call.
    pub async fn find(&self, parent: Option<&str>, name: &str) -> Result<Option<Node>, ApiError> {
        self.named(Call::to::<file::List>().query("parent", parent), name)
            .await
    }

    /// `GET /v1/files?path=&name=`: the same in the folder with this path, which is not the top.
    ///
    /// # Errors
    /// `not_found` (the folder), `invalid_request` (a file is in its place), and whatever befalls every call.
    pub async fn find_at(&self, folder: &Path, name: &str) -> Result<Option<Node>, ApiError> {
        let path = format!("/{folder}");
        let found = self
            .named(Call::to::<file::List>().query("path", Some(&path)), name)
            .await?;
        // A server that does not know the parameter looks at the top.
        Ok(found.filter(|node| node.parent.is_some()))
    }

    async fn named(&self, list: Call<'_>, name: &str) -> Result<Option<Node>, ApiError> {
        // However its letters are composed here, there they are in one form.
        let name = name
            .parse()
            .map_or_else(|_| name.to_owned(), |name: Name| name.into());
        let page: Page<Node> = self.http.json(list.query("name", Some(&name))).await?;
        // A server that does not know the filter must not make us take another file for this one.
        Ok(page.items.into_iter().find(|node| node.name == name))
    }

    /// `GET /v1/search`: one page of the files and folders that have all `words` in their names, below a folder (`None`: anywhere). It
    /// may be empty, and there may be more all the same.
    ///
    /// # Errors
    /// `not_found` (folder), `invalid_request` (no words), `too_many_requests`, and whatever befalls every call.
    pub async fn search(
        &self,
        words: &str,
        under: Option<&str>,
        cursor: Option<&str>,
    ) -> Result<Page<Found>, ApiError> {
        let call = Call::to::<file::Search>()
            .query("q", Some(words))
            .query("under", under)
            .query("cursor", cursor);
        self.http.json(call.query("limit", Some(FILES_LIMIT))).await
    }

    /// All pages of [`Api::search`], each handed over as it comes.
    ///
    /// # Errors
    /// Those of [`Api::search`].
    pub async fn search_all(
        &self,
        words: &str,
        under: Option<&str>,
        take: impl FnMut(Vec<Found>),
    ) -> Result<(), ApiError> {
        each_page(
            |cursor| async move { self.search(words, under, cursor.as_deref()).await },
            take,
        )
        .await
    }
}
