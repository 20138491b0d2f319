//! Sending parts: URLs signed just in time, several streams, each part tried until the store has it.

use super::source::{Meter, Source, body};
use super::store::{self, Failure};
use super::{Options, TransferError, TransferEvent, hash};
use crate::api::Api;
use crate::error::ApiError;
use crate::network::{self, Body, NetworkError};
use crate::types::{PartToSign, SignedPart};
use backon::BackoffBuilder;
use domain::content::PartDigest;
use futures::TryStreamExt;
use futures::future::try_join_all;
use http::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// URLs to ask for at once.
const BATCH: usize = 32;
/// A URL older than this is not used any more. They live 15 minutes by the server's clock; ours may differ, so
/// only its own passing counts.
const STALE: Duration = Duration::from_mins(10);
/// After so many failures of one part a new URL is asked for in any case: a store that denies may close the
/// connection while bytes are still on their way, and then nobody hears what it said.
const UNHEARD: u32 = 2;
/// New URLs to ask for when the store denies one.
const DENIALS: u32 = 3;

/// Permission to send a part, and since when.
struct Ticket {
    part: SignedPart,
    since: Instant,
}

/// Sends parts of one upload.
pub(crate) struct Sender<'a> {
    pub(crate) api: &'a Api,
    pub(crate) upload: &'a str,
    pub(crate) source: &'a Source,
    pub(crate) digests: &'a [PartDigest],
    pub(crate) options: &'a Options,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    unsigned: VecDeque<u32>,
    signed: VecDeque<Ticket>,
}

impl<'a> Sender<'a> {
    pub(crate) fn new(
        api: &'a Api,
        upload: &'a str,
        source: &'a Source,
        digests: &'a [PartDigest],
        options: &'a Options,
    ) -> Self {
        Self {
            api,
            upload,
            source,
            digests,
            options,
            queue: Mutex::default(),
        }
    }

    /// Sends `parts`. On an error the parts in flight are dropped; finished ones stay with the store.
    pub(crate) async fn send(&self, parts: Vec<u32>) -> Result<(), TransferError> {
        let streams = self.options.streams.get().min(parts.len());
        *self.queue.lock().await = Queue {
            unsigned: parts.into(),
            signed: VecDeque::new(),
        };
        try_join_all((0..streams).map(|_| self.stream())).await.map(drop)
    }

    async fn stream(&self) -> Result<(), TransferError> {
        while let Some(ticket) = self.next().await? {
            self.part(ticket).await?;
        }
        Ok(())
    }

    /// The next part to send. Who finds no signed one left signs a batch; the others wait for it.
    async fn next(&self) -> Result<Option<Ticket>, TransferError> {
        let mut queue = self.queue.lock().await;
        if queue.signed.is_empty() {
            let count = queue.unsigned.len().min(BATCH);
            if count == 0 {
                return Ok(None);
            }
            let batch: Vec<u32> = queue.unsigned.iter().take(count).copied().collect();
            queue.signed = self.sign(&batch).await?.into();
            queue.unsigned.drain(..count);
        }
        Ok(queue.signed.pop_front())
    }

    async fn sign(&self, numbers: &[u32]) -> Result<Vec<Ticket>, TransferError> {
        let asked: Vec<_> = numbers
            .iter()
            .filter_map(|&number| {
                Some(PartToSign {
                    number,
                    sha256: self.digest(number)?,
                })
            })
            .collect();
        let since = Instant::now();
        let mut signed = self.api.sign_parts(self.upload, &asked).await?;
        signed.sort_by_key(|part| part.number);
        if !signed.iter().map(|part| part.number).eq(numbers.iter().copied()) {
            return Err(unexpected(self.upload, "not the parts that were asked for"));
        }
        Ok(signed.into_iter().map(|part| Ticket { part, since }).collect())
    }

    async fn sign_again(&self, number: u32) -> Result<Ticket, TransferError> {
        let signed = self.sign(&[number]).await?.pop();
        signed.ok_or_else(|| unexpected(self.upload, "not the part that was asked for"))
    }

    fn digest(&self, number: u32) -> Option<PartDigest> {
        self.digests.get(number.checked_sub(1)? as usize).copied()
    }

    /// Sends one part until the store has it.
    async fn part(&self, mut ticket: Ticket) -> Result<(), TransferError> {
        let number = ticket.part.number;
        let (mut failed, mut denied, mut foreign, mut damaged) = (0, 0, 0, false);
        let mut waits = self.options.retry.build();
        loop {
            if ticket.since.elapsed() > STALE {
                ticket = self.sign_again(number).await?;
            }
            let meter = Meter::new(self.options.observer.clone());
            let Err(failure) = self.put(&ticket.part, &meter).await else {
                self.options.observer.tell(TransferEvent::PartDone(number));
                return Ok(());
            };
            self.options.observer.tell(TransferEvent::Undone(meter.sent()));
            if let Some(error) = meter.take_error() {
                // The file is shorter than it was, or the disk failed; the network is not to blame.
                self.source.unchanged().await?;
                return Err(self.source.disk(error));
            }
            let reason = match failure {
                Failure::Denied(reason) if denied < DENIALS => {
                    denied += 1;
                    ticket = self.sign_again(number).await?;
                    format!("the URL was not accepted any more: {reason}")
                }
                Failure::Denied(reason) | Failure::Refused(reason) => {
                    return Err(TransferError::StoreRefused { part: number, reason });
                }
                Failure::BadDigest => {
                    self.still_the_same(number).await?;
                    if std::mem::replace(&mut damaged, true) {
                        return Err(TransferError::Damaged(number));
                    }
                    "it arrived damaged".to_owned()
                }
                Failure::Missing => return Err(TransferError::StoreLost(number)),
                Failure::Foreign(answer) => {
                    foreign += 1;
                    if foreign >= store::FOREIGN {
                        return Err(TransferError::NotTheStore { part: number, answer });
                    }
                    format!("something other than the store answered: {answer}")
                }
                Failure::Transient(reason) => reason,
            };
            failed += 1;
            let Some(wait) = waits.next() else {
                return Err(TransferError::StoreUnreachable { part: number, reason });
            };
            self.options.observer.tell(TransferEvent::Retrying {
                part: number,
                reason,
                wait,
            });
            tokio::time::sleep(wait).await;
            if failed >= UNHEARD {
                ticket = self.sign_again(number).await?;
            }
        }
    }

    /// Whether part `number` of the local file still has the digest that its URL was signed for.
    async fn still_the_same(&self, number: u32) -> Result<(), TransferError> {
        let silent = super::Observer::silent();
        let now = hash::parts(&self.source.path, self.source.plan, vec![number], &silent).await;
        let now = now.map_err(|error| self.source.disk(error))?.pop().flatten();
        if now.is_some() && now == self.digest(number) {
            Ok(())
        } else {
            Err(TransferError::Changed(self.source.path.clone()))
        }
    }

    async fn put(&self, part: &SignedPart, meter: &Arc<Meter>) -> Result<(), Failure> {
        let Some(range) = self.source.plan.range(part.number) else {
            return Err(Failure::Refused("the file has no such part".to_owned()));
        };
        let length = range.end - range.start;
        let body = match length {
            0 => network::empty(),
            _ => {
                let bytes = body(self.source.path.clone(), range, Arc::clone(meter));
                let frames = bytes.map_ok(Frame::data).map_err(|error| NetworkError {
                    reason: error.to_string(),
                    is_connect: false,
                });
                BodyExt::boxed_unsync(StreamBody::new(frames))
            }
        };
        let request = Request::put(part.url.reveal()).body(body);
        let mut request = request.map_err(|error| Failure::Refused(error.to_string()))?;
        *request.headers_mut() = headers(part, length)?;
        let response = self
            .unless_silent(store::send(self.api.network(), request), meter)
            .await?;
        if response.status().is_success() {
            store::took(&response, self.digest(part.number))
        } else {
            Err(Failure::of(response, self.options.stall).await)
        }
    }

    /// Waits for the answer as long as bytes move. A plain time-out would be wrong for large parts on slow
    /// lines.
    async fn unless_silent(
        &self,
        answer: impl Future<Output = Result<Response<Body>, NetworkError>>,
        meter: &Meter,
    ) -> Result<Response<Body>, Failure> {
        let mut answer = pin!(answer);
        let mut seen = 0;
        loop {
            match timeout(self.options.stall, answer.as_mut()).await {
                Ok(answer) => return answer.map_err(Failure::network),
                Err(_) if meter.sent() > seen => seen = meter.sent(),
                Err(_) => return Err(Failure::stalled()),
            }
        }
    }
}

/// The headers the URL was signed with, exactly, and the length. `host` goes by itself.
fn headers(part: &SignedPart, length: u64) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for (name, value) in &part.headers {
        let wrong = || Failure::Refused(format!("the API asks for a header that cannot be sent: {name:?}"));
        let name = HeaderName::try_from(name.as_str()).map_err(|_| wrong())?;
        if name != HOST && name != TRANSFER_ENCODING {
            headers.insert(name, HeaderValue::try_from(value.as_str()).map_err(|_| wrong())?);
        }
    }
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    Ok(headers)
}

fn unexpected(upload: &str, reason: &str) -> TransferError {
    let call = format!("POST /v1/uploads/{upload}/parts");
    ApiError::Unexpected {
        call,
        reason: reason.to_owned(),
    }
    .into()
}
