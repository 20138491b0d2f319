//! The upload engine.
//!
//! 1. Hash the file, part by part; that gives the content id.
//! 2. Look for an upload in progress of the same file, begun by whatever process on whatever machine; else
//!    begin one (`begin`).
//! 3. If the service has such bytes, prove that the file has them too (`proof`), and that is all.
//! 4. Send the parts the store does not have.
//! 5. Complete; if the store finds parts missing or wrong, send those again.

use super::open::OpenUploads;
use super::plan::todo;
use super::send::Sender;
use super::source::Source;
use super::{Ends, Options, TransferError, TransferEvent, hash};
use crate::api::Api;
use crate::backoff;
use crate::error::ApiError;
use crate::types::{Destination, Node, OnConflict, ReceivedPart, Upload, UploadState};
use backon::BackoffBuilder;
use domain::content::{ContentId, PartDigest};
use std::path::PathBuf;
use tokio::time::Instant;

/// How often to send what the store says it lacks.
const ROUNDS: u32 = 5;
/// Problems of completing after which another look at the upload may find the way.
const LOOK_AGAIN: [&str; 3] = ["upload_not_open", "content_mismatch", "changed_meanwhile"];
/// How often in a row completing may end in a server error before that is taken for lasting. Each has been
/// tried several times by then.
const SERVER_ERRORS: u32 = 5;

/// What to upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadRequest {
    /// The local file.
    pub path: PathBuf,
    /// What it will be called.
    pub name: String,
    /// The folder it will be in; `None` at the top.
    pub parent: Option<String>,
    /// What it is, if known.
    pub content_type: Option<String>,
    /// What happens when the name is taken by another file.
    pub on_conflict: OnConflict,
}

/// How the file came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Every byte was sent.
    Sent,
    /// An earlier upload was carried on.
    Resumed,
    /// The service had these bytes already; none was sent.
    Instant,
    /// The file itself was there already: same name, same folder, same bytes.
    AlreadyThere,
}

/// A finished upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// The file.
    pub file: Node,
    /// How it came to be.
    pub how: How,
    /// Parts sent by this call.
    pub parts_sent: u32,
    /// Parts that an earlier upload had sent.
    pub parts_kept: u32,
}

/// Uploads a file, carrying on with an earlier upload of it if there is one.
///
/// # Errors
/// See [`TransferError`]. The upload is never aborted: the same call goes on where this one stopped.
pub async fn upload(
    api: &Api,
    request: &UploadRequest,
    options: &Options,
) -> Result<Uploaded, TransferError> {
    upload_among(&OpenUploads::default(), api, request, options).await
}

/// [`upload`], as one of many: `open` is shared by all of a run.
///
/// # Errors
/// See [`TransferError`].
pub async fn upload_among(
    open: &OpenUploads,
    api: &Api,
    request: &UploadRequest,
    options: &Options,
) -> Result<Uploaded, TransferError> {
    let source = Source::open(&request.path).await?;
    let (digests, content_id) = identify(&source, options).await?;
    source.unchanged().await?;
    // The bytes in between may take hours; a network that fails for a while must not end that.
    let patient = api.clone().with_retry(options.retry);
    let engine = Engine {
        open,
        api,
        patient,
        request,
        options,
        source,
        digests,
        content_id,
    };
    let mut progress = Progress::default();
    let (file, how) = match engine.run(&mut progress).await {
        Err(TransferError::Api(error)) if error.is("name_taken") => {
            let same = engine.same_file().await?;
            (same.ok_or(error)?, How::AlreadyThere)
        }
        ended => ended?,
    };
    Ok(Uploaded {
        file,
        how,
        parts_sent: progress.sent,
        parts_kept: progress.kept.unwrap_or(0),
    })
}

async fn identify(source: &Source, options: &Options) -> Result<(Vec<PartDigest>, ContentId), TransferError> {
    options
        .observer
        .tell(TransferEvent::HashingBegan(source.plan.size()));
    let numbers = (1..=source.plan.part_count()).collect();
    let digests = hash::parts(&source.path, source.plan, numbers, &options.observer).await;
    let digests: Option<Vec<_>> = digests.map_err(|error| source.disk(error))?.into_iter().collect();
    let Some(digests) = digests else {
        return Err(source.unlike(Ends::Early).await);
    };
    let ends = hash::ends_at(&source.path, source.plan.size()).await;
    if !ends.map_err(|error| source.disk(error))? {
        return Err(source.unlike(Ends::Late).await);
    }
    let content_id =
        ContentId::of_parts(&digests).ok_or_else(|| TransferError::Changed(source.path.clone()))?;
    Ok((digests, content_id))
}

#[derive(Default)]
struct Progress {
    sent: u32,
    /// Parts the store had when this call began.
    kept: Option<u32>,
}

/// Why completing did not give a file (yet).
enum Again {
    /// The store lacks these parts, among others perhaps.
    Send(Vec<u32>),
    /// The upload is no longer what we took it for.
    Look(ApiError),
}

/// What there is to go on with.
pub(super) enum Begun {
    Upload(Box<Upload>, How),
    /// The very file is there already.
    File(Box<Node>),
}

/// One upload of one file.
pub(super) struct Engine<'a> {
    pub(super) open: &'a OpenUploads,
    pub(super) api: &'a Api,
    /// The same, trying longer.
    patient: Api,
    pub(super) request: &'a UploadRequest,
    options: &'a Options,
    pub(super) source: Source,
    pub(super) digests: Vec<PartDigest>,
    pub(super) content_id: ContentId,
}

impl Engine<'_> {
    /// Gets the file there by whatever way is the shortest.
    async fn run(&self, progress: &mut Progress) -> Result<(Node, How), TransferError> {
        let (begun, how) = match self.begin().await? {
            Begun::Upload(upload, how) => (*upload, how),
            Begun::File(file) => return Ok((*file, How::AlreadyThere)),
        };
        let destination = self.destination(&begun);
        // A proof makes a file where the upload was begun to put it, and nowhere else.
        let mut begun = match &destination {
            None => self.prove(begun).await?,
            Some(_) => begun,
        };
        if begun.state == UploadState::Complete
            && let Some(file) = begun.file.take()
        {
            self.open.ended(&begun.id);
            return Ok((file, How::Instant));
        }
        let file = self.carry_on(&begun, destination.as_ref(), progress).await?;
        self.open.ended(&begun.id);
        Ok((file, how))
    }

    /// Sends and completes until there is a file.
    async fn carry_on(
        &self,
        begun: &Upload,
        destination: Option<&Destination>,
        progress: &mut Progress,
    ) -> Result<Node, TransferError> {
        let is_finalizing = begun.state == UploadState::Finalizing;
        let mut known = (!is_finalizing).then(|| begun.received.clone().unwrap_or_default());
        let mut missing = Vec::new();
        let mut cause = None;
        for _ in 0..ROUNDS {
            let (received, finalizing) = match known.take() {
                Some(received) => (received, false),
                None => match self.look(&begun.id).await? {
                    Looked::File(file) => return Ok(*file),
                    Looked::Parts { received, finalizing } => (received, finalizing),
                },
            };
            if !finalizing {
                match self.send(&begun.id, &received, &missing, progress).await {
                    Ok(()) => {}
                    Err(error @ TransferError::StoreLost(_)) => {
                        cause = Some(error);
                        continue;
                    }
                    Err(TransferError::Api(error)) if error.is("upload_not_open") => {
                        cause = Some(error.into());
                        continue;
                    }
                    Err(error) => return Err(error),
                }
            }
            self.source.unchanged().await?;
            self.options.observer.tell(TransferEvent::Finalizing);
            missing = match self.complete(&begun.id, destination).await? {
                Ok(file) => return Ok(file),
                Err(Again::Send(missing)) => missing,
                Err(Again::Look(error)) => {
                    cause = Some(error.into());
                    Vec::new()
                }
            };
        }
        Err(cause.unwrap_or(TransferError::NotConverging))
    }

    /// Asks the API where the upload stands.
    async fn look(&self, id: &str) -> Result<Looked, TransferError> {
        let upload = gone(self.patient.upload(id).await)?;
        let received = upload.received.unwrap_or_default();
        match (upload.state, upload.file) {
            (UploadState::Complete, Some(file)) => Ok(Looked::File(Box::new(file))),
            (UploadState::Complete, None) => Err(TransferError::FileGone),
            (UploadState::Finalizing, _) => Ok(Looked::Parts {
                received,
                finalizing: true,
            }),
            // One that waits for a proof takes parts just as well.
            (UploadState::Open | UploadState::ProofRequired | UploadState::Other, _) => Ok(Looked::Parts {
                received,
                finalizing: false,
            }),
            (UploadState::Aborted | UploadState::Expired, _) => Err(TransferError::UploadGone),
        }
    }

    async fn send(
        &self,
        id: &str,
        received: &[ReceivedPart],
        missing: &[u32],
        progress: &mut Progress,
    ) -> Result<(), TransferError> {
        let plan = &self.source.plan;
        let todo = todo(plan, &self.digests, received, missing);
        progress.kept.get_or_insert(todo.kept_parts);
        self.options.observer.tell(TransferEvent::TransferBegan {
            total: plan.size(),
            kept: todo.kept,
            parts: plan.part_count(),
            kept_parts: todo.kept_parts,
        });
        let count = u32::try_from(todo.send.len()).unwrap_or(u32::MAX);
        let sender = Sender::new(&self.patient, id, &self.source, &self.digests, self.options);
        sender.send(todo.send).await?;
        progress.sent = progress.sent.saturating_add(count);
        Ok(())
    }

    /// Completes, waiting as long as the store needs.
    async fn complete(
        &self,
        id: &str,
        destination: Option<&Destination>,
    ) -> Result<Result<Node, Again>, TransferError> {
        let began = Instant::now();
        let (mut waits, mut failed) = (backoff::POLL.build(), 0);
        loop {
            match self.api.complete_upload_at(id, destination).await {
                Ok(Upload {
                    state: UploadState::Complete,
                    file: Some(file),
                    ..
                }) => return Ok(Ok(file)),
                Ok(Upload {
                    state: UploadState::Complete,
                    ..
                }) => return Err(TransferError::FileGone),
                Ok(_) => failed = 0,
                Err(ApiError::Problem(problem)) if problem.code == "parts_missing" => {
                    return Ok(Err(Again::Send(problem.missing)));
                }
                Err(error) if LOOK_AGAIN.iter().any(|code| error.is(code)) => {
                    return Ok(Err(Again::Look(error)));
                }
                Err(error) if error.is("not_found") => return Err(TransferError::UploadGone),
                // The store may take longer than the gateway waits, or the server be down for a moment.
                Err(ApiError::Problem(problem)) if problem.status >= 500 && failed < SERVER_ERRORS => {
                    failed += 1;
                }
                Err(error) => return Err(error.into()),
            }
            if began.elapsed() > self.options.finalize {
                return Err(TransferError::StillFinalizing);
            }
            if let Some(wait) = waits.next() {
                tokio::time::sleep(wait).await;
            }
        }
    }
}

/// An upload that the API does not know any more was aborted or has expired.
pub(super) fn gone(answered: Result<Upload, ApiError>) -> Result<Upload, TransferError> {
    answered.map_err(|error| match error {
        error if error.is("not_found") => TransferError::UploadGone,
        error => error.into(),
    })
}

enum Looked {
    File(Box<Node>),
    Parts {
        received: Vec<ReceivedPart>,
        finalizing: bool,
    },
}
