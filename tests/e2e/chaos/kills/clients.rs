//! Clients that upload, replace, delete, abort and give up, and remember what they were told.

use crate::harness::bytes::{MIB, PART};
use crate::harness::person::{Person, content_id, put};
use bytes::Bytes;
use client::ApiError;
use client::transfer::{Options, TransferError, UploadRequest, Uploaded, upload};
use client::types::{NewUpload, OnConflict, PartToSign};
use domain::content::{ContentId, PartDigest};
use fastrand::Rng;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Mutex;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

/// How often somebody asks again before that counts as lost.
const TRIES: usize = 30;
const BEFORE_NEXT: Duration = Duration::from_millis(300);

/// Bytes that can be made again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Content {
    seed: u64,
    pub(super) size: usize,
}

impl Content {
    pub(super) fn bytes(self) -> Bytes {
        let mut bytes = vec![0; self.size];
        Rng::with_seed(self.seed).fill(&mut bytes);
        bytes.into()
    }

    pub(super) fn id(self) -> ContentId {
        content_id(&self.bytes())
    }
}

/// A file, as its client was told.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) id: String,
    pub(super) content: Content,
}

/// What a client knows in the end.
#[derive(Default)]
pub(super) struct Known {
    /// Files that must be there, by name.
    pub(super) there: BTreeMap<String, Told>,
    /// What was given up in the middle: it may have become a file.
    pub(super) maybe: BTreeMap<String, Content>,
    /// How often what happened.
    pub(super) counts: BTreeMap<&'static str, usize>,
}

/// One client of an account. No other uses its names.
pub(super) struct Client<'a> {
    pub(super) person: &'a Person,
    pub(super) name: String,
    pub(super) rng: Rng,
    /// Makes contents those of this run.
    pub(super) run: u64,
    /// Contents that somebody has stored.
    pub(super) pool: &'a Mutex<Vec<Content>>,
    pub(super) folder: TempDir,
    pub(super) known: Known,
}

impl Client<'_> {
    pub(super) async fn work(mut self, uploads: usize) -> Known {
        for number in 0..uploads {
            let name = format!("{}-{number}", self.name);
            match self.rng.u8(0..100) {
                0..4 => self.abort(name).await,
                4..11 => self.give_up(name).await,
                11..20 => self.replace(name).await,
                _ => {
                    // The first of all is large, however few there are.
                    let content = self.content(if number == 0 { 100 } else { 1 });
                    self.store(name, content, OnConflict::Fail).await;
                }
            }
            if self.rng.u8(0..100) < 8 {
                self.delete().await;
            }
        }
        self.known
    }

    fn count(&mut self, what: &'static str) {
        *self.known.counts.entry(what).or_default() += 1;
    }

    /// Bytes to upload: one time in seven somebody had them before. So many of a hundred new ones are of several parts.
    fn content(&mut self, large: u8) -> Content {
        if self.rng.u8(0..7) == 0
            && let Some(content) = self.rng.choice(&*self.pool.lock().unwrap())
        {
            return *content;
        }
        let size = if self.rng.u8(0..100) < large {
            self.rng.usize(PART + 1..PART + 3 * MIB)
        } else {
            // Small ones as often as less small ones.
            let least = 1000 << self.rng.u32(0..8);
            self.rng.usize(least..2 * least).min(200_000)
        };
        Content {
            seed: self.rng.u64(..) ^ self.run,
            size,
        }
    }

    /// Uploads until there is an answer.
    async fn store(&mut self, name: String, content: Content, on_conflict: OnConflict) {
        for tried in 0.. {
            match self.try_to_store(&name, content, on_conflict).await {
                Ok(uploaded) => return self.stored(name, content, uploaded),
                Err(error) => self.once_more(tried, &name, &error).await,
            }
        }
    }

    async fn try_to_store(
        &self,
        name: &str,
        content: Content,
        on_conflict: OnConflict,
    ) -> Result<Uploaded, TransferError> {
        let path = self.folder.path().join(name);
        if !path.exists() {
            std::fs::write(&path, content.bytes()).unwrap();
        }
        let request = UploadRequest {
            path,
            name: name.to_owned(),
            parent: None,
            content_type: None,
            on_conflict,
        };
        upload(&self.person.api, &request, &Options::default()).await
    }

    fn stored(&mut self, name: String, content: Content, uploaded: Uploaded) {
        std::fs::remove_file(self.folder.path().join(&name)).unwrap();
        self.count(match uploaded.how {
            client::transfer::How::Sent => "sent",
            client::transfer::How::Resumed => "resumed",
            client::transfer::How::Instant => "instant",
            client::transfer::How::AlreadyThere => "there already",
        });
        self.pool.lock().unwrap().push(content);
        let id = uploaded.file.id;
        self.known.there.insert(name, Told { id, content });
    }

    async fn once_more(&mut self, tried: usize, name: &str, error: &dyn Display) {
        println!("{name}: {error}");
        assert!(tried < TRIES, "{name}: there never is an answer: {error}");
        self.count("asked once more");
        sleep(BEFORE_NEXT).await;
    }

    /// Gives a file that is there other bytes.
    async fn replace(&mut self, otherwise: String) {
        let content = self.content(1);
        let name = self.some_file().unwrap_or(otherwise);
        self.count("replacing");
        self.store(name, content, OnConflict::Replace).await;
    }

    fn some_file(&mut self) -> Option<String> {
        let names: Vec<&String> = self.known.there.keys().collect();
        self.rng.choice(names).cloned()
    }

    /// A client that dies in the middle. Half of them come back.
    async fn give_up(&mut self, name: String) {
        let content = self.content(5);
        let patience = Duration::from_millis(self.rng.u64(5..600));
        let tried = timeout(patience, self.try_to_store(&name, content, OnConflict::Fail)).await;
        if let Ok(Ok(uploaded)) = tried {
            return self.stored(name, content, uploaded);
        }
        if self.rng.bool() {
            self.count("given up, and gone on with");
            return self.store(name, content, OnConflict::Fail).await;
        }
        self.count("given up");
        std::fs::remove_file(self.folder.path().join(&name)).unwrap();
        self.known.maybe.insert(name, content);
    }

    /// Begins an upload, sends its first part unless it is in a hurry, and aborts it.
    async fn abort(&mut self, name: String) {
        let bytes = self.content(5).bytes();
        let new = NewUpload {
            name: name.clone(),
            parent: None,
            size: bytes.len() as u64,
            content_type: None,
            content_id: None,
            on_conflict: OnConflict::Fail,
        };
        let api = &self.person.api;
        let begun = self.insist(&name, async || api.create_upload(&new).await).await;
        let begun = begun.unwrap();
        if self.rng.bool() {
            let part = bytes.slice(..bytes.len().min(PART));
            let to_sign = [PartToSign {
                number: 1,
                sha256: PartDigest::of(&part),
            }];
            let signed = self
                .insist(&name, async || api.sign_parts(&begun.id, &to_sign).await)
                .await;
            put(&signed.unwrap()[0], part).await.expect(200);
        }
        let aborted = self
            .insist(&name, async || api.abort_upload(&begun.id).await)
            .await;
        // The answer to the try that did it may have been lost.
        let lost = aborted.is_err_and(|error| !error.is("upload_not_open"));
        assert!(!lost, "{name} was not aborted");
        self.count("aborted");
    }

    async fn delete(&mut self) {
        let Some(name) = self.some_file() else { return };
        let told = self.known.there.remove(&name).unwrap();
        let api = &self.person.api;
        let deleted = self.insist(&name, async || api.delete_file(&told.id).await).await;
        let lost = deleted.is_err_and(|error| !error.is("not_found"));
        assert!(!lost, "{name} was not deleted");
        self.count("deleted");
    }

    /// Asks until the API itself says something.
    async fn insist<T>(
        &mut self,
        name: &str,
        ask: impl AsyncFn() -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        for tried in 0.. {
            match ask().await {
                Err(ApiError::Problem(problem)) if problem.status < 500 && problem.status != 429 => {
                    return Err(ApiError::Problem(problem));
                }
                Err(error) => self.once_more(tried, name, &error).await,
                done => return done,
            }
        }
        unreachable!("it gives up long before")
    }
}
