//! Uploads.

use crate::answer::{Accepted, Created, Located, NoContent};
use crate::body::{IfAny, Json};
use crate::declaration::Declaration;
use crate::file::Node;
use crate::page::Items;
use crate::query::Paged;
use domain::content::{ContentId, MAX_FILE_SIZE, MAX_PARTS, PartDigest};
use domain::id::{NodeId, UploadId};
use domain::media_type::MediaType;
use domain::name::Name;
use domain::placement::{Destination, OnConflict};
use domain::proof::{ByteRange, Nonce, Proof};
use domain::upload;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most parts that one request may name.
pub const MAX_BATCH: usize = 1000;

/// The endpoints, in the order in which documents have them.
pub(crate) const ENDPOINTS: &[Declaration] = &[
    Declaration::of::<Create>(),
    Declaration::of::<List>(),
    Declaration::of::<Get>(),
    Declaration::of::<Prove>(),
    Declaration::of::<SignParts>(),
    Declaration::of::<Complete>(),
    Declaration::of::<Abort>(),
];

endpoint! {
    /// Begins an upload, or spares sending the bytes
    Create: "upload-create", POST "/v1/uploads", createUpload;
    caller: Scope(Upload),
    body: Json<NewUpload>,
    idempotency: Key,
    answer: Created<Upload> = "It is `open`, or at once `complete`"
        | Located<Upload> = "`proof_required`: somebody else has the bytes",
    problems: [NameTaken, ParentNotFound, QuotaExceeded, ChangedMeanwhile],
}

endpoint! {
    /// Lists the uploads under way
    List: "upload-list", GET "/v1/uploads", listUploads;
    caller: Scope(Read),
    query: Paged,
    answer: Json<Items<Upload>> = "The uploads",
    problems: [],
}

endpoint! {
    /// Shows an upload, and which parts have arrived
    Get: "upload-get", GET "/v1/uploads/{id}", getUpload;
    caller: Scope(Read),
    path: UploadId,
    answer: Json<Upload> = "The upload",
    problems: [ChangedMeanwhile],
}

endpoint! {
    /// Answers an upload's challenge
    Prove: "upload-prove", POST "/v1/uploads/{id}/proof", proveUpload;
    caller: Scope(Upload),
    path: UploadId,
    body: Json<ChallengeAnswer>,
    answer: Json<Upload> = "`complete`, or `open` when the answer was not right",
    problems: [UploadNotOpen, NameTaken, ParentNotFound, ChangedMeanwhile],
}

endpoint! {
    /// Signs the addresses that parts are sent to
    SignParts: "upload-sign-parts", POST "/v1/uploads/{id}/parts", signParts;
    caller: Scope(Upload),
    path: UploadId,
    body: Json<PartsToSign>,
    answer: Json<SignedParts> = "How to send them",
    problems: [UploadNotOpen, ChangedMeanwhile],
}

endpoint! {
    /// Turns the parts into a file
    Complete: "upload-complete", POST "/v1/uploads/{id}/complete", completeUpload;
    caller: Scope(Upload),
    path: UploadId,
    body: IfAny<Destination>,
    answer: Json<Upload> = "It is `complete`" | Accepted<Upload> = "It is `finalizing`: ask again",
    problems: [PartsMissing, ContentMismatch, UploadNotOpen, NameTaken, ParentNotFound, ChangedMeanwhile],
}

endpoint! {
    /// Aborts an upload
    Abort: "upload-abort", DELETE "/v1/uploads/{id}", abortUpload;
    caller: Scope(Upload),
    path: UploadId,
    answer: NoContent = "It is done",
    problems: [UploadNotOpen, ChangedMeanwhile],
}

/// An upload that is wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUpload {
    /// What the file shall be called.
    pub name: Name,
    /// The folder that it shall be in; the root if there is none.
    pub parent: Option<NodeId>,
    /// How many bytes it has.
    #[schemars(range(max = MAX_FILE_SIZE))]
    pub size: u64,
    /// Its media type, as downloads shall say it.
    pub content_type: Option<MediaType>,
    /// What its bytes are, if that is known already: they may not have to be sent then.
    pub content_id: Option<ContentId>,
    /// What to do when the name is taken.
    #[serde(default)]
    pub on_conflict: OnConflict,
}

/// An answer to a challenge.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ProofAnswer")]
#[serde(deny_unknown_fields)]
pub struct ChallengeAnswer {
    /// HMAC-SHA256 with the nonce as key over the bytes of all ranges in their order, in base64.
    pub proof: Proof,
}

/// Parts that are to be sent.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartsToSign {
    /// Each part once.
    #[schemars(length(min = 1, max = MAX_BATCH))]
    pub parts: Vec<PartToSign>,
}

/// A part that is to be sent.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartToSign {
    /// Which one, from 1.
    #[schemars(range(min = 1, max = MAX_PARTS))]
    pub number: u32,
    /// What its bytes are: no others can be sent.
    pub sha256: PartDigest,
}

/// A part that the store has.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReceivedPart {
    /// Which one, from 1.
    pub number: u32,
    /// How many bytes it has.
    pub size: u64,
    /// What its bytes are.
    pub sha256: PartDigest,
}

/// What has to be answered to get a file without sending its bytes.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Challenge {
    /// How the answer is made: always `HMAC-SHA256`.
    #[schemars(extend("const" = "HMAC-SHA256"))]
    pub algorithm: &'static str,
    /// Its key.
    pub nonce: Nonce,
    /// The bytes that it is made of, in this order.
    pub ranges: Vec<ByteRange>,
    /// When it is too late to answer.
    pub expires_at: Timestamp,
}

/// An upload.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Upload {
    /// Which one.
    pub id: UploadId,
    /// Where it stands.
    pub state: upload::State,
    /// What the file will be called.
    pub name: Name,
    /// The folder that it will be in; `null` is the root.
    pub parent: Option<NodeId>,
    /// How many bytes it will have.
    pub size: u64,
    /// How many bytes each part has, but for the last.
    pub part_size: u64,
    /// How many parts there are.
    pub part_count: u32,
    /// Its media type, if that was said.
    pub content_type: Option<String>,
    /// What its bytes are, if that was said.
    pub content_id: Option<ContentId>,
    /// What happens when the name is taken.
    pub on_conflict: OnConflict,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it expires if nothing is done about it.
    pub expires_at: Timestamp,
    /// What to answer, while that is possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<Challenge>,
    /// The parts that the store has; only in an answer about one upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<Vec<ReceivedPart>>,
    /// The file that it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Node>,
}

/// How to send one part.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SignedPart {
    /// Which one.
    pub number: u32,
    /// Where to put its bytes.
    pub url: String,
    /// Headers to send exactly so.
    pub headers: BTreeMap<String, String>,
    /// Until when.
    pub expires_at: Timestamp,
}

/// How to send some parts.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SignedParts {
    /// Each part that was asked for, in the order in which it was.
    pub parts: Vec<SignedPart>,
}
