//! What tests ask of the server that OSS knows nothing of: to have things go wrong, and how things are.

use crate::answer::{self, ServerResponse};
use crate::faults::Plan;
use crate::service::Service;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

/// The header with the word that was printed when the server started.
pub(crate) const HEADER: &str = "x-oss-server-admin";

/// Whether it comes from the program that started the server.
pub(crate) fn is_for(parts: &Parts, token: &str) -> bool {
    parts.headers.get(HEADER).is_some_and(|header| header == token)
}

pub(crate) async fn answer(service: &Service, parts: &Parts, body: Incoming) -> ServerResponse {
    let result = match (&parts.method, parts.uri.path()) {
        (&Method::GET, "/-/state") => Ok(state(service)),
        (&Method::POST, "/-/faults") => match body.collect().await {
            Ok(body) => plan(service, &body.to_bytes()),
            Err(error) => Err(error.to_string()),
        },
        (method, path) => Err(format!("there is no {method} {path}")),
    };
    let (status, value) = match result {
        Ok(value) => (StatusCode::OK, value),
        Err(error) => (StatusCode::BAD_REQUEST, json!({ "error": error })),
    };
    answer::set(
        answer::with(status, value.to_string()),
        "content-type",
        "application/json",
    )
}

fn plan(service: &Service, text: &[u8]) -> Result<Value, String> {
    let plan: Plan = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    service.faults.plan(plan.clone())?;
    Ok(json!(plan))
}

fn state(service: &Service) -> Value {
    let objects = service.disk.objects();
    let objects = objects.iter().map(|object| {
        json!({
            "key": object.key,
            "size": object.size,
            "etag": object.etag,
            "crc64": object.crc64.to_string(),
            "parts": object.pieces.len(),
        })
    });
    let uploads = service.disk.uploads();
    let uploads = uploads.iter().map(|upload| {
        json!({
            "key": upload.key,
            "upload_id": upload.id,
            "parts": upload.parts.keys().collect::<Vec<_>>(),
        })
    });
    json!({
        "objects": objects.collect::<Vec<_>>(),
        "multiparts": uploads.collect::<Vec<_>>(),
        "requests": service.requests(),
        "faults": service.faults.happened(),
    })
}
