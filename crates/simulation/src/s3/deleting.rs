//! Objects that are deleted. Of one that is not there S3 says that it is deleted.

use super::answer::Answer;
use super::bucket::Bucket;
use super::checksum;
use super::document::{self, NAMESPACE};
use super::refusal::Refusal;
use super::request::Request;
use http::StatusCode;
use serde::{Deserialize, Serialize};

/// How many objects one request may name.
const MOST: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delete {
    #[serde(rename = "@xmlns")]
    _namespace: Option<String>,
    #[serde(rename = "Object", default)]
    objects: Vec<Named>,
    #[serde(rename = "Quiet", default)]
    quiet: bool,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Named {
    #[serde(rename = "Key")]
    key: String,
}

#[derive(Serialize)]
struct DeleteResult {
    #[serde(rename = "@xmlns")]
    namespace: &'static str,
    #[serde(rename = "Deleted")]
    deleted: Vec<Named>,
}

pub(crate) fn one(bucket: &mut Bucket, request: &Request<'_>) -> Answer {
    bucket.objects.remove(&request.key);
    Answer::empty(StatusCode::NO_CONTENT)
}

pub(crate) fn many(bucket: &mut Bucket, request: &Request<'_>) -> Result<Answer, Refusal> {
    let sums = checksum::verify(request)?;
    if sums.checksum.is_none() && request.header("content-md5").is_none() {
        let text = "Missing required header for this request: Content-MD5";
        return Err(Refusal::invalid_request(text));
    }
    let Delete { objects, quiet, .. } = document::read(request.body())?;
    if objects.is_empty() || objects.len() > MOST {
        return Err(document::malformed());
    }
    for Named { key } in &objects {
        bucket.objects.remove(key);
    }
    let result = DeleteResult {
        namespace: NAMESPACE,
        deleted: if quiet { Vec::new() } else { objects },
    };
    Answer::document("DeleteResult", &result)
}
