//! Which operation a request is.

use crate::refusal::Refusal;
use crate::request::Head;
use hyper::Method;

/// What this server can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    PutObject,
    GetObject,
    HeadObject,
    DeleteObject,
    DeleteMultipleObjects,
    ListObjects,
    ListObjectsV2,
    GetBucketInfo,
    InitiateMultipartUpload,
    UploadPart,
    CompleteMultipartUpload,
    AbortMultipartUpload,
    ListMultipartUploads,
    ListParts,
}

/// What may be in the query of every request.
const SIGNING: [&str; 7] = [
    "x-oss-signature-version",
    "x-oss-credential",
    "x-oss-date",
    "x-oss-expires",
    "x-oss-additional-headers",
    "x-oss-security-token",
    "x-oss-signature",
];

/// The headers of an answer that the query of a GET can ask for: the name in the query, the header.
pub(crate) const OVERRIDES: [(&str, &str); 6] = [
    ("response-content-type", "content-type"),
    ("response-content-language", "content-language"),
    ("response-expires", "expires"),
    ("response-cache-control", "cache-control"),
    ("response-content-disposition", "content-disposition"),
    ("response-content-encoding", "content-encoding"),
];

impl Operation {
    const ALL: [Self; 14] = [
        Self::PutObject,
        Self::GetObject,
        Self::HeadObject,
        Self::DeleteObject,
        Self::DeleteMultipleObjects,
        Self::ListObjects,
        Self::ListObjectsV2,
        Self::GetBucketInfo,
        Self::InitiateMultipartUpload,
        Self::UploadPart,
        Self::CompleteMultipartUpload,
        Self::AbortMultipartUpload,
        Self::ListMultipartUploads,
        Self::ListParts,
    ];

    /// Which one it is. A query that this server would not heed is refused: to ignore `?acl` would be to answer
    /// something else.
    pub(crate) fn of(head: &Head) -> Result<Self, Refusal> {
        let operation = if head.key.is_empty() {
            of_bucket(head)
        } else {
            of_object(head)
        };
        let operation =
            operation.ok_or_else(|| Refusal::not_implemented(&format!("{} of that kind", head.method)))?;
        let known = |name: &str| SIGNING.contains(&name) || operation.allows(name);
        match head.query.iter().find(|(name, _)| !known(name)) {
            Some((name, _)) => Err(Refusal::not_implemented(&format!(
                "{name} for {}",
                operation.name()
            ))),
            None if head.header("x-oss-copy-source").is_some() => Err(Refusal::not_implemented("copying")),
            None => Ok(operation),
        }
    }

    fn allows(self, name: &str) -> bool {
        let allowed: &[&str] = match self {
            Self::PutObject | Self::DeleteObject => &[],
            Self::GetObject => return OVERRIDES.iter().any(|(own, _)| *own == name),
            Self::HeadObject => &["objectMeta"],
            Self::DeleteMultipleObjects => &["delete", "encoding-type"],
            Self::ListObjects => &["prefix", "delimiter", "marker", "max-keys", "encoding-type"],
            Self::ListObjectsV2 => &[
                "list-type",
                "prefix",
                "delimiter",
                "start-after",
                "continuation-token",
                "max-keys",
                "encoding-type",
                "fetch-owner",
            ],
            Self::GetBucketInfo => &["bucketInfo"],
            Self::InitiateMultipartUpload => &["uploads", "encoding-type"],
            Self::UploadPart => &["partNumber", "uploadId"],
            Self::CompleteMultipartUpload => &["uploadId", "encoding-type"],
            Self::AbortMultipartUpload => &["uploadId"],
            Self::ListMultipartUploads => &[
                "uploads",
                "prefix",
                "delimiter",
                "key-marker",
                "upload-id-marker",
                "max-uploads",
                "encoding-type",
            ],
            Self::ListParts => &["uploadId", "max-parts", "part-number-marker", "encoding-type"],
        };
        allowed.contains(&name)
    }

    /// As OSS calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PutObject => "PutObject",
            Self::GetObject => "GetObject",
            Self::HeadObject => "HeadObject",
            Self::DeleteObject => "DeleteObject",
            Self::DeleteMultipleObjects => "DeleteMultipleObjects",
            Self::ListObjects => "ListObjects",
            Self::ListObjectsV2 => "ListObjectsV2",
            Self::GetBucketInfo => "GetBucketInfo",
            Self::InitiateMultipartUpload => "InitiateMultipartUpload",
            Self::UploadPart => "UploadPart",
            Self::CompleteMultipartUpload => "CompleteMultipartUpload",
            Self::AbortMultipartUpload => "AbortMultipartUpload",
            Self::ListMultipartUploads => "ListMultipartUploads",
            Self::ListParts => "ListParts",
        }
    }

    pub(crate) fn is_name(name: &str) -> bool {
        Self::ALL.iter().any(|operation| operation.name() == name)
    }

    /// Whether its body is a file's bytes.
    pub(crate) fn sends_file_bytes(self) -> bool {
        matches!(self, Self::PutObject | Self::UploadPart)
    }
}

fn of_bucket(head: &Head) -> Option<Operation> {
    match head.method {
        Method::GET if head.asks("uploads") => Some(Operation::ListMultipartUploads),
        Method::GET if head.asks("bucketInfo") => Some(Operation::GetBucketInfo),
        Method::GET if head.query("list-type") == Some("2") => Some(Operation::ListObjectsV2),
        Method::GET => Some(Operation::ListObjects),
        Method::POST if head.asks("delete") => Some(Operation::DeleteMultipleObjects),
        _ => None,
    }
}

fn of_object(head: &Head) -> Option<Operation> {
    match head.method {
        Method::PUT if head.asks("partNumber") || head.asks("uploadId") => Some(Operation::UploadPart),
        Method::PUT => Some(Operation::PutObject),
        Method::GET if head.asks("uploadId") => Some(Operation::ListParts),
        Method::GET => Some(Operation::GetObject),
        Method::HEAD => Some(Operation::HeadObject),
        Method::POST if head.asks("uploads") => Some(Operation::InitiateMultipartUpload),
        Method::POST if head.asks("uploadId") => Some(Operation::CompleteMultipartUpload),
        Method::DELETE if head.asks("uploadId") => Some(Operation::AbortMultipartUpload),
        Method::DELETE => Some(Operation::DeleteObject),
        _ => None,
    }
}
