//! Where a file's bytes come from: requests to a presigned URL, and what to do when one fails.
//!
//! The URL is asked for anew when it expires, and when the place it leads to has lost the file or keeps failing: the
//! file may be at another store by then. So one download, even one part, may come from several places. That is as
//! good as from one: the bytes are judged by their digests, wherever they come from. But a new URL leads to
//! what the file is by then, so the API is asked whether that is still the same.

use super::store::{self, Failure};
use super::{Options, TransferError, TransferEvent};
use crate::api::Api;
use crate::network::{self, Body};
use crate::secret::SignedUrl;
use crate::types::Node;
use backon::{BackoffBuilder, ExponentialBackoff};
use bytes::Bytes;
use domain::content::PartPlan;
use http::header::{CONTENT_RANGE, RANGE};
use http::{Request, Response, StatusCode};
use std::ops::Range;
use tokio::time::timeout;

/// New URLs to ask for in a row when the store denies them or has no file there.
const RENEWALS: u32 = 3;

/// Why a part, or one try of it, ended early.
pub(crate) enum Stop {
    /// The store or the network.
    Store(Failure),
    /// The store sends the whole object whatever range is asked for.
    RangeIgnored,
    /// Nothing that another try would help.
    Fatal(TransferError),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Store(failure)
    }
}

impl From<TransferError> for Stop {
    fn from(error: TransferError) -> Self {
        Self::Fatal(error)
    }
}

/// One file to fetch.
pub(crate) struct Origin<'a> {
    api: &'a Api,
    file: &'a Node,
    plan: PartPlan,
    options: &'a Options,
    url: tokio::sync::Mutex<Url>,
}

/// The URL in use.
#[derive(Default)]
struct Url {
    current: Option<SignedUrl>,
    /// Another one was in use before.
    is_renewal: bool,
}

impl<'a> Origin<'a> {
    pub(crate) fn new(api: &'a Api, file: &'a Node, plan: PartPlan, options: &'a Options) -> Self {
        Self {
            api,
            file,
            plan,
            options,
            url: tokio::sync::Mutex::default(),
        }
    }

    pub(crate) fn plan(&self) -> PartPlan {
        self.plan
    }

    pub(crate) fn options(&self) -> &'a Options {
        self.options
    }

    /// Decides what to do about a failure: gives up, or waits.
    pub(crate) async fn next_try(&self, part: u32, stop: Stop, tries: &mut Tries) -> Result<(), Stop> {
        let reason = match stop {
            Stop::Store(Failure::Denied(reason)) if tries.may_renew() => {
                format!("the URL was not accepted any more: {reason}")
            }
            Stop::Store(Failure::Missing) if tries.may_renew() => {
                "the store has the file no more; asking for another copy".to_owned()
            }
            Stop::Store(Failure::Denied(reason) | Failure::Refused(reason)) => {
                return Err(TransferError::StoreRefused { part, reason }.into());
            }
            Stop::Store(Failure::Missing) => return Err(TransferError::StoreLost(part).into()),
            Stop::Store(Failure::Foreign(answer)) if tries.is_foreign_for_good() => {
                return Err(TransferError::NotTheStore { part, answer }.into());
            }
            Stop::Store(Failure::Foreign(answer)) => {
                format!("something other than the store answered: {answer}")
            }
            Stop::Store(Failure::Transient(reason)) => reason,
            Stop::Store(Failure::BadDigest) => "the store takes the request for damaged".to_owned(),
            other => return Err(other),
        };
        let waits = tries.waits.get_or_insert_with(|| self.options.retry.build());
        let Some(wait) = waits.next() else {
            return Err(TransferError::StoreUnreachable { part, reason }.into());
        };
        self.options
            .observer
            .tell(TransferEvent::Retrying { part, reason, wait });
        tokio::time::sleep(wait).await;
        Ok(())
    }

    async fn current_url(&self) -> Result<SignedUrl, TransferError> {
        let mut url = self.url.lock().await;
        if let Some(current) = &url.current {
            return Ok(current.clone());
        }
        let current = self.api.content_url(&self.file.id, self.file.number).await?;
        // In this order: what is the same afterwards was the same when the URL was made. The first URL follows upon a look at
        // the file; where that was too early all the same, the digests tell.
        if url.is_renewal && replacement(self.api, self.file).await?.is_some() {
            return Err(TransferError::Replaced(self.file.name.clone()));
        }
        url.is_renewal = true;
        Ok(url.current.insert(current).clone())
    }

    /// Lets the next part that needs a URL ask for a new one, unless somebody else already did.
    async fn forget(&self, url: &SignedUrl) {
        let mut known = self.url.lock().await;
        if known.current.as_ref() == Some(url) {
            known.current = None;
        }
    }

    pub(crate) async fn request(&self, range: Option<Range<u64>>, tries: &Tries) -> Result<Incoming, Stop> {
        let url = self.current_url().await?;
        let answered = self.ask(&url, range).await;
        let renew = match &answered {
            Err(Stop::Store(Failure::Denied(_) | Failure::Missing)) => true,
            // Failing once is nothing; a place that fails again and again may have been replaced by another.
            Err(Stop::Store(Failure::Transient(_) | Failure::Foreign(_))) => tries.waits.is_some(),
            _ => false,
        };
        if renew {
            self.forget(&url).await;
        }
        answered
    }

    async fn ask(&self, url: &SignedUrl, range: Option<Range<u64>>) -> Result<Incoming, Stop> {
        let mut request = Request::get(url.reveal());
        if let Some(range) = &range {
            let range = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
            request = request.header(RANGE, range);
        }
        let request = request.body(network::empty());
        let request = request.map_err(|error| Failure::Refused(error.to_string()))?;
        let response = timeout(self.options.stall, store::send(self.api.network(), request))
            .await
            .map_err(|_| Failure::stalled())?;
        let response = response.map_err(Failure::network)?;
        let size = self.plan.size();
        match (response.status(), range) {
            (StatusCode::PARTIAL_CONTENT, Some(range)) if answers(&response, &range, size) => {}
            (StatusCode::PARTIAL_CONTENT, _) => {
                return Err(Failure::Refused("it sent other bytes than were asked for".to_owned()).into());
            }
            (StatusCode::OK, range) => {
                store::gave(&response, size)?;
                if let Some(length) = store::content_length(&response).filter(|length| *length != size) {
                    return Err(
                        Failure::Refused(format!("the object has {length} bytes, not {size}")).into(),
                    );
                }
                if range.is_some_and(|range| range != (0..size)) {
                    return Err(Stop::RangeIgnored);
                }
            }
            _ => return Err(Failure::of(response, self.options.stall).await.into()),
        }
        Ok(Incoming {
            response,
            rest: Bytes::new(),
            options: self.options.clone(),
        })
    }
}

/// What the file is now, if that is another content than `file` has.
pub(crate) async fn replacement(api: &Api, file: &Node) -> Result<Option<Node>, TransferError> {
    if file.number.is_some() {
        // A version stays what it is.
        return Ok(None);
    }
    let now = api.file(&file.id).await?;
    Ok((now.content_id != file.content_id).then_some(now))
}

/// Whether a 206 carries `range` of an object of `size` bytes.
fn answers(response: &Response<Body>, range: &Range<u64>, size: u64) -> bool {
    let value = response
        .headers()
        .get(CONTENT_RANGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let begins = format!("bytes {}-{}/", range.start, range.end.saturating_sub(1));
    value
        .strip_prefix(&begins)
        .is_some_and(|total| total == "*" || total.parse() == Ok(size))
}

/// What went wrong in a row, without a byte in between.
#[derive(Default)]
pub(crate) struct Tries {
    /// Those that are left, from the first failure on.
    waits: Option<ExponentialBackoff>,
    renewed: u32,
    foreign: u32,
}

impl Tries {
    /// Whether something else than the store has answered too often, this time included.
    fn is_foreign_for_good(&mut self) -> bool {
        self.foreign += 1;
        self.foreign >= store::FOREIGN
    }

    /// Whether a new URL may help, once more.
    fn may_renew(&mut self) -> bool {
        self.renewed += 1;
        self.renewed <= RENEWALS
    }
}

/// The body of an answer.
pub(crate) struct Incoming {
    response: Response<Body>,
    rest: Bytes,
    options: Options,
}

impl Incoming {
    /// Some more bytes, at most `most`.
    pub(crate) async fn next(&mut self, most: u64) -> Result<Bytes, Failure> {
        while self.rest.is_empty() {
            let chunk = timeout(self.options.stall, store::chunk(self.response.body_mut())).await;
            let chunk = chunk.map_err(|_| Failure::stalled())?.map_err(Failure::network)?;
            self.rest = chunk.ok_or_else(|| Failure::Transient("the answer ended early".to_owned()))?;
        }
        let count = usize::try_from(most).unwrap_or(usize::MAX).min(self.rest.len());
        Ok(self.rest.split_to(count))
    }

    pub(crate) async fn skip(&mut self, mut bytes: u64) -> Result<(), Failure> {
        while bytes > 0 {
            bytes -= self.next(bytes).await?.len() as u64;
        }
        Ok(())
    }
}
