//! Whole objects.

use super::answer::Answer;
use super::bucket::{Body, Bucket, Description, Object};
use super::checksum;
use super::operation::METADATA;
use super::refusal::Refusal;
use super::request::Request;
use http::StatusCode;
use http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
    LAST_MODIFIED,
};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use std::ops::Range;

/// What says how an object's checksum is to be understood.
pub(crate) const CHECKSUM_TYPE: HeaderName = HeaderName::from_static("x-amz-checksum-type");

/// What a request says of the object to be.
pub(crate) fn description(request: &Request<'_>) -> Description {
    let headers = request.raw.headers().keys().map(HeaderName::as_str);
    let metadata = headers.filter(|name| name.starts_with(METADATA));
    Description {
        content_type: request.header(CONTENT_TYPE.as_str()).map(str::to_owned),
        metadata: metadata
            .filter_map(|name| Some((name.to_owned(), request.header(name)?.to_owned())))
            .collect(),
    }
}

pub(crate) fn put(bucket: &mut Bucket, request: &Request<'_>, now: Timestamp) -> Result<Answer, Refusal> {
    let sums = checksum::verify(request)?;
    if request.only_if_absent()? && bucket.objects.contains_key(&request.key) {
        return Err(Refusal::precondition_failed());
    }
    let object = Object {
        body: Body::of(vec![request.body().clone()]),
        made_at: now,
        etag: format!("\"{}\"", hex::encode(sums.md5)),
        checksum: sums.checksum,
        description: description(request),
        upload: None,
    };
    let answer = Answer::empty(StatusCode::OK).header(ETAG, object.etag.clone());
    let answer = with_checksum(answer, &object);
    bucket.objects.insert(request.key.clone(), object);
    Ok(answer)
}

pub(crate) fn head(bucket: &Bucket, request: &Request<'_>) -> Result<Answer, Refusal> {
    let object = find(bucket, request)?;
    let answer = Answer::empty(StatusCode::OK).length(object.body.size());
    described(answer, object, request, true)
}

pub(crate) fn get(bucket: &Bucket, request: &Request<'_>) -> Result<Answer, Refusal> {
    let object = find(bucket, request)?;
    let size = object.body.size();
    let Some(range) = asked_range(request.header("range"), size)? else {
        let answer = Answer::with_body(StatusCode::OK, object.body.all());
        return described(answer, object, request, true);
    };
    let body = object.body.some(&range);
    let text = format!("bytes {}-{}/{size}", range.start, range.end - 1);
    let answer = Answer::with_body(StatusCode::PARTIAL_CONTENT, body).header(CONTENT_RANGE, text);
    described(answer, object, request, range == (0..size))
}

fn find<'a>(bucket: &'a Bucket, request: &Request<'_>) -> Result<&'a Object, Refusal> {
    let object = bucket.objects.get(&request.key);
    object.ok_or_else(|| Refusal::no_such_key(&request.key))
}

/// The bytes that a header `Range` asks for; `None` when it asks for none, or for something that S3 does not know.
fn asked_range(header: Option<&str>, size: u64) -> Result<Option<Range<u64>>, Refusal> {
    let bounds = header
        .and_then(|header| header.strip_prefix("bytes="))
        .and_then(|text| text.split_once('-'));
    let Some((first, last)) = bounds else {
        return Ok(None);
    };
    let range = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Ok(first), Err(_)) if last.is_empty() => first..size,
        (Err(_), Ok(count)) if first.is_empty() => size.saturating_sub(count)..size,
        _ => return Ok(None),
    };
    if range.is_empty() {
        let refusal = Refusal::new(416, "InvalidRange", "The requested range is not satisfiable");
        let header = header.unwrap_or_default();
        return Err(refusal
            .with("ActualObjectSize", size.to_string())
            .with("RangeRequested", header));
    }
    Ok(Some(range))
}

/// Adds what is said of an object. Only of a whole one its checksum is said, and only on request.
fn described(
    answer: Answer,
    object: &Object,
    request: &Request<'_>,
    is_whole: bool,
) -> Result<Answer, Refusal> {
    let wants_checksum = match request.header("x-amz-checksum-mode") {
        None => false,
        Some("ENABLED") => true,
        Some(_) => return Err(Refusal::invalid_header("x-amz-checksum-mode")),
    };
    let printer = DateTimePrinter::new();
    let made_at = printer
        .timestamp_to_rfc9110_string(&object.made_at)
        .map_err(|error| Refusal::new(500, "InternalError", error.to_string()))?;
    let content_type =
        replaced(request, "response-content-type")?.or(object.description.content_type.clone());
    let mut answer = answer
        .header(ACCEPT_RANGES, "bytes")
        .header(ETAG, object.etag.clone())
        .header(LAST_MODIFIED, made_at)
        .header(
            CONTENT_TYPE,
            content_type.as_deref().unwrap_or("binary/octet-stream"),
        )
        .header_if(
            CONTENT_DISPOSITION,
            replaced(request, "response-content-disposition")?,
        );
    for (name, value) in &object.description.metadata {
        let name = HeaderName::try_from(name).ok();
        if let Some(name) = name {
            answer = answer.header(name, value.clone());
        }
    }
    Ok(if wants_checksum && is_whole {
        with_checksum(answer, object)
    } else {
        answer
    })
}

/// A header of the answer that the query says.
fn replaced(request: &Request<'_>, name: &str) -> Result<Option<String>, Refusal> {
    match request.parameter(name) {
        Some(value) if HeaderValue::from_str(value).is_err() => {
            let text = "Header value cannot be represented using ISO-8859-1.";
            Err(Refusal::invalid_argument(text, name, value))
        }
        value => Ok(value.map(str::to_owned)),
    }
}

fn with_checksum(answer: Answer, object: &Object) -> Answer {
    match &object.checksum {
        Some(checksum) => answer
            .header(checksum.algorithm.header(), checksum.value.clone())
            .header(CHECKSUM_TYPE, checksum.kind()),
        None => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let asked = |header: &str, size| asked_range(Some(header), size).map_err(|refusal| refusal.code);
        for (header, expected) in [
            ("bytes=0-0", Some(0..1)),
            ("bytes=2-4", Some(2..5)),
            ("bytes=2-400", Some(2..10)),
            ("bytes=9-", Some(9..10)),
            ("bytes=-3", Some(7..10)),
            ("bytes=-30", Some(0..10)),
            ("bytes=4-2", None),
            ("bytes=1-2,4-5", None),
            ("lines=1-2", None),
            ("bytes=-", None),
        ] {
            assert_eq!(asked(header, 10), Ok(expected), "{header}");
        }
        for header in ["bytes=10-", "bytes=10-12", "bytes=-0"] {
            assert_eq!(asked(header, 10), Err("InvalidRange"), "{header}");
        }
        for header in ["bytes=0-", "bytes=0-0", "bytes=-1"] {
            assert_eq!(asked(header, 0), Err("InvalidRange"), "{header}");
        }
        assert_eq!(asked_range(None, 10).unwrap(), None);
    }
}
