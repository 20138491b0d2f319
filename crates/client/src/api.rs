//! One method per endpoint of the API.

mod batch;
mod listing;
mod placing;
mod targets;
mod trash;
mod uploads;
mod versions;

pub use wire::batch::MOST_ITEMS;

use crate::backoff::Retry;
use crate::error::ApiError;
use crate::http::{Call, Http};
use crate::network::Network;
use crate::secret::{SignedUrl, Token};
use crate::session::{Credentials, Keeper, Session, Tokens};
use crate::types;
use crate::types::{Account, ActiveSession, Link, NewToken, Node, Page, PersonalToken};
use http::StatusCode;
use http::header::LOCATION;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::fmt;
use std::sync::Arc;
use wire::{Endpoint, account, file, folder, session, token};

/// Entries to ask for per page of a list.
const PAGE_LIMIT: &str = "100";

/// A client of one API, for one account once it has a token. Cloning is cheap.
#[derive(Clone)]
pub struct Api {
    http: Http,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("base", &self.http.base.as_str())
            .finish_non_exhaustive()
    }
}

impl Api {
    /// A client of the API whose paths begin below `base`, for instance
    /// `http://127.0.0.1:4566/_aws/execute-api/abc123/prod`.
    ///
    /// # Errors
    /// [`ApiError::Address`] when `base` is no http(s) URL.
    #[cfg(feature = "internet")]
    pub fn new(base: &str) -> Result<Self, ApiError> {
        Self::over(base, Arc::new(crate::network::internet::Internet::new()?))
    }

    /// The same over any network.
    ///
    /// # Errors
    /// [`ApiError::Address`] when `base` is no http(s) URL.
    pub fn over(base: &str, network: Arc<dyn Network>) -> Result<Self, ApiError> {
        Ok(Self {
            http: Http::new(base, network)?,
        })
    }

    /// The same client with a token that is what it is: a personal access token, or one access token of a session.
    #[must_use]
    pub fn with_token(mut self, token: Token) -> Self {
        self.http.credentials = Credentials::Token(token);
        self
    }

    /// The same client, signed in. The tokens of the session are exchanged for new ones in time, and then kept by
    /// `keeper`.
    #[must_use]
    pub fn with_session(mut self, tokens: Tokens, keeper: Box<dyn Keeper>) -> Self {
        self.http.credentials = Credentials::Session(Arc::new(Session::new(tokens, keeper)));
        self
    }

    /// The same client with another idea of how often to try again.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.http.retry = retry;
        self
    }

    /// Waits until no tokens are being exchanged. A process that ends in the middle of that may lose its session.
    pub async fn settled(&self) {
        if let Credentials::Session(session) = &self.http.credentials {
            session.settled().await;
        }
    }

    /// The address it was made with.
    #[must_use]
    pub fn base(&self) -> &str {
        self.http.base.as_str()
    }

    /// Whether passwords and tokens can be read on their way to the API: no TLS, and not to this machine.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        self.http.is_exposed()
    }

    /// Takes requests to presigned URLs. Nothing there is followed, or ends after some time (parts may be large).
    pub(crate) fn network(&self) -> &dyn Network {
        &*self.http.network
    }

    /// `POST /v1/accounts`: registers a user.
    ///
    /// # Errors
    /// `username_taken`, `invitation_required`, `invalid_request`, and whatever befalls every call.
    pub async fn create_account(&self, username: &str, password: &str) -> Result<Account, ApiError> {
        let body = json!({ "username": username, "password": password });
        self.http.json(Call::to::<account::Create>().body(body)).await
    }

    /// The same with the code of an invitation, which is needed where signing up is closed.
    ///
    /// # Errors
    /// `invitation_invalid`, and those of [`Api::create_account`].
    pub async fn create_account_by_invitation(
        &self,
        username: &str,
        password: &str,
        code: &str,
    ) -> Result<Account, ApiError> {
        let body = json!({ "username": username, "password": password, "invitation": code });
        self.http.json(Call::to::<account::Create>().body(body)).await
    }

    /// `POST /v1/accounts/password`: sets the password of an account with a code that an administrator gave for it, and ends
    /// all its sessions.
    ///
    /// # Errors
    /// `invitation_invalid`, `invalid_request`, and whatever befalls every call.
    pub async fn reset_password(&self, username: &str, code: &str, password: &str) -> Result<(), ApiError> {
        let body = json!({ "username": username, "code": code, "password": password });
        self.done(Call::to::<account::ResetPassword>().body(body)).await
    }

    /// `GET /v1/account`: who is signed in.
    ///
    /// # Errors
    /// `unauthorized`, and whatever befalls every call.
    pub async fn account(&self) -> Result<Account, ApiError> {
        self.http.json(Call::to::<account::Get>()).await
    }

    /// `POST /v1/sessions`: signs in.
    ///
    /// # Errors
    /// `unauthorized` when name or password is wrong, and whatever befalls every call.
    pub async fn create_session(&self, username: &str, password: &str) -> Result<types::Session, ApiError> {
        let body = json!({ "username": username, "password": password });
        // Signing in twice only makes one session too many.
        self.http
            .json(Call::to::<session::Create>().body(body).repeatable())
            .await
    }

    /// `DELETE /v1/sessions/current`: signs out.
    ///
    /// # Errors
    /// Whatever befalls every call.
    pub async fn end_session(&self) -> Result<(), ApiError> {
        self.done(Call::to::<session::Delete>().ends_session()).await
    }

    /// `GET /v1/sessions`: all sessions of the account.
    ///
    /// # Errors
    /// `forbidden` with a personal access token, and whatever befalls every call.
    pub async fn sessions(&self) -> Result<Vec<ActiveSession>, ApiError> {
        self.all_pages::<session::List, _>().await
    }

    /// `DELETE /v1/sessions/{id}`: ends one session.
    ///
    /// # Errors
    /// `not_found`, and whatever befalls every call.
    pub async fn revoke_session(&self, id: &str) -> Result<(), ApiError> {
        self.done(Call::at::<session::Revoke>(id)).await
    }

    /// `DELETE /v1/sessions`: signs out everywhere.
    ///
    /// # Errors
    /// Whatever befalls every call.
    pub async fn end_all_sessions(&self) -> Result<(), ApiError> {
        self.done(Call::to::<session::DeleteAll>().ends_session()).await
    }

    /// `PUT /v1/account/password`: changes the password and ends all other sessions.
    ///
    /// # Errors
    /// `wrong_password`, `invalid_request`, and whatever befalls every call.
    pub async fn change_password(&self, current: &str, new: &str) -> Result<(), ApiError> {
        let body = json!({ "current_password": current, "new_password": new });
        self.done(Call::to::<account::SetPassword>().body(body)).await
    }

    /// `DELETE /v1/account`: deletes the account and everything that it has.
    ///
    /// # Errors
    /// `wrong_password`, and whatever befalls every call.
    pub async fn delete_account(&self, password: &str) -> Result<(), ApiError> {
        let body = json!({ "current_password": password });
        self.done(Call::to::<account::Delete>().body(body).ends_session())
            .await
    }

    /// `POST /v1/tokens`: makes a personal access token. Its text is in this answer and nowhere else.
    ///
    /// # Errors
    /// `invalid_request`, `forbidden` for a caller with a personal access token only, and whatever befalls
    /// every call.
    pub async fn create_token(&self, token: &NewToken) -> Result<PersonalToken, ApiError> {
        self.http
            .json(Call::to::<token::Create>().body(json!(token)))
            .await
    }

    /// `GET /v1/tokens`: all personal access tokens of the account.
    ///
    /// # Errors
    /// Whatever befalls every call.
    pub async fn tokens(&self) -> Result<Vec<PersonalToken>, ApiError> {
        self.all_pages::<token::List, _>().await
    }

    /// `DELETE /v1/tokens/{id}`: ends a personal access token.
    ///
    /// # Errors
    /// `not_found`, and whatever befalls every call.
    pub async fn delete_token(&self, id: &str) -> Result<(), ApiError> {
        self.done(Call::at::<token::Delete>(id)).await
    }

    /// All items of a list that takes nothing but a cursor and a limit.
    async fn all_pages<E: Endpoint<Path = ()>, T: DeserializeOwned>(&self) -> Result<Vec<T>, ApiError> {
        all(|cursor| async move {
            let call = Call::to::<E>()
                .query("cursor", cursor.as_deref())
                .query("limit", Some(PAGE_LIMIT));
            self.http.json(call).await
        })
        .await
    }

    /// Makes a call whose answer says nothing but that it is done.
    async fn done(&self, call: Call<'_>) -> Result<(), ApiError> {
        self.http.send(&call).await?.done(&call)
    }

    /// `POST /v1/folders`: makes a folder, one however often an answer gets lost; `parent` is `None` at the top.
    ///
    /// # Errors
    /// `name_taken`, `invalid_request`, `not_found` (parent), and whatever befalls every call.
    pub async fn create_folder(&self, name: &str, parent: Option<&str>) -> Result<Node, ApiError> {
        let body = match parent {
            Some(parent) => json!({ "name": name, "parent": parent }),
            None => json!({ "name": name }),
        };
        self.http.json(Call::to::<folder::Create>().body(body)).await
    }

    /// `GET /v1/files/{id}`: a file or folder, a file with its replicas.
    ///
    /// # Errors
    /// `not_found`, and whatever befalls every call.
    pub async fn file(&self, id: &str) -> Result<Node, ApiError> {
        self.http.json(Call::at::<file::Get>(id)).await
    }

    /// `GET /v1/files/{id}/content`: where the bytes are, for some minutes: at the primary store, or at one that has a
    /// verified copy. `number`: of which content, instead of what the file has. The redirect is not followed, so that the token goes
    /// nowhere but to the API.
    ///
    /// # Errors
    /// `not_found`, `unavailable` when no store has the bytes just now, and whatever befalls every call.
    pub async fn content_url(&self, id: &str, number: Option<u64>) -> Result<SignedUrl, ApiError> {
        let number = number.map(|number| number.to_string());
        let call = Call::at::<file::Download>(id).query("number", number.as_deref());
        let answer = self.http.send(&call).await?;
        let unexpected = |reason: &str| ApiError::Unexpected {
            call: format!(
                "{} {}",
                file::Download::METHOD,
                file::Download::PATH.replace("{id}", id)
            ),
            reason: reason.to_owned(),
        };
        if answer.status != StatusCode::TEMPORARY_REDIRECT {
            return Err(unexpected(&format!("status {} instead of 307", answer.status)));
        }
        let location = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
        let location = location.ok_or_else(|| unexpected("a redirect without Location"))?;
        let url = self
            .http
            .base
            .join(location)
            .map_err(|_| unexpected("a redirect to no URL"))?;
        Ok(SignedUrl::new(url))
    }

    /// `GET /v1/files/{id}/link`: the same for somebody else to read them.
    ///
    /// # Errors
    /// Those of [`Api::content_url`].
    pub async fn link(&self, id: &str) -> Result<Link, ApiError> {
        self.http.json(Call::at::<file::Link>(id)).await
    }
}

/// All items of a list; `page` asks for those from a cursor on.
async fn all<T, F>(page: impl Fn(Option<String>) -> F) -> Result<Vec<T>, ApiError>
where
    F: Future<Output = Result<Page<T>, ApiError>>,
{
    let mut all = Vec::new();
    each_page(page, |items| all.extend(items)).await?;
    Ok(all)
}

/// The same, and hands over each page as it comes.
async fn each_page<T, F>(
    page: impl Fn(Option<String>) -> F,
    mut take: impl FnMut(Vec<T>),
) -> Result<(), ApiError>
where
    F: Future<Output = Result<Page<T>, ApiError>>,
{
    let mut cursor = None;
    loop {
        let page = page(cursor.clone()).await?;
        take(page.items);
        if page.next_cursor.is_none() {
            return Ok(());
        }
        if page.next_cursor == cursor {
            return Err(ApiError::Unexpected {
                call: "a list".to_owned(),
                reason: "it goes on where it was".to_owned(),
            });
        }
        cursor = page.next_cursor;
    }
}
