//! The gateway: requests to the API, as the functions get them.

use crate::lambda::{Lambda, Outcome};
use bytes::Bytes;
use http::StatusCode;
use http::header::LOCATION;
use lambda_http::Body;
use serde_json::{Map, Value, json};

/// A request to the API.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The method.
    pub method: &'static str,
    /// Path and query, from `/v1` on.
    pub path: String,
    /// The access token.
    pub token: Option<String>,
    /// The `Idempotency-Key`.
    pub key: Option<String>,
    /// The body.
    pub body: Option<Value>,
}

/// An answer of the API.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status. 502 when the function failed or died, 504 when it took too long, 404 when no function is there.
    pub status: u16,
    /// The body; null when there is none.
    pub body: Value,
    /// The header `Location`.
    pub location: Option<String>,
}

/// Sends a request to the function that it is for.
pub async fn send(lambda: &Lambda, request: &Request) -> Response {
    let answer = answer(lambda, request).await;
    let location = answer.headers().get(LOCATION);
    Response {
        status: answer.status().as_u16(),
        location: location.and_then(|text| text.to_str().ok()).map(str::to_owned),
        body: serde_json::from_slice(answer.body()).unwrap_or_default(),
    }
}

/// The same, and all of the answer.
pub async fn answer(lambda: &Lambda, request: &Request) -> http::Response<Bytes> {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let Some((endpoint, id)) = route(request.method, path) else {
        return empty(StatusCode::NOT_FOUND);
    };
    let event = event(request, endpoint.path, path, query, id).to_string();
    let Ok(event) = lambda_http::request::from_str(&event) else {
        return empty(StatusCode::BAD_REQUEST);
    };
    match lambda.request(endpoint.function, event).await {
        Outcome::Answered(answer) => answer.map(|body| match body {
            Body::Text(text) => text.into(),
            Body::Binary(bytes) => bytes.into(),
            _ => Bytes::new(),
        }),
        Outcome::Failed(_) | Outcome::Killed => empty(StatusCode::BAD_GATEWAY),
        Outcome::TimedOut => empty(StatusCode::GATEWAY_TIMEOUT),
    }
}

fn empty(status: StatusCode) -> http::Response<Bytes> {
    let mut answer = http::Response::new(Bytes::new());
    *answer.status_mut() = status;
    answer
}

/// The endpoint of a path, and the id in it. An endpoint without an id comes before one with: `sessions/current`.
fn route<'a>(method: &str, path: &'a str) -> Option<(&'static wire::Declaration, Option<&'a str>)> {
    let of_method = || {
        wire::ENDPOINTS
            .iter()
            .filter(|endpoint| endpoint.method == method)
    };
    if let Some(exact) = of_method().find(|endpoint| endpoint.path == path) {
        return Some((exact, None));
    }
    of_method().find_map(|endpoint| {
        let (before, after) = endpoint.path.split_once("{id}")?;
        let id = path.strip_prefix(before)?.strip_suffix(after)?;
        (!id.is_empty() && !id.contains('/')).then_some((endpoint, Some(id)))
    })
}

/// As API Gateway makes it of a request.
fn event(request: &Request, resource: &str, path: &str, query: &str, id: Option<&str>) -> Value {
    let mut headers = Map::new();
    headers.insert("Content-Type".to_owned(), json!("application/json"));
    headers.insert("Host".to_owned(), json!("api.simulation"));
    headers.insert("User-Agent".to_owned(), json!("simulation"));
    if let Some(token) = &request.token {
        headers.insert("Authorization".to_owned(), json!(format!("Bearer {token}")));
    }
    if let Some(key) = &request.key {
        headers.insert("Idempotency-Key".to_owned(), json!(key));
    }
    let many: Map<_, _> = headers
        .iter()
        .map(|(name, value)| (name.clone(), json!([value])))
        .collect();
    let query: Map<_, _> = url::form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (name.into_owned(), json!([value])))
        .collect();
    json!({
        "resource": resource,
        "path": path,
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": many,
        "queryStringParameters": null,
        "multiValueQueryStringParameters": query,
        "pathParameters": id.map(|id| json!({ "id": id })),
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "simulation",
            "httpMethod": request.method,
            "identity": { "sourceIp": "192.0.2.1" },
            "path": path,
            "protocol": "HTTP/1.1",
            "requestId": "simulation",
            "resourceId": "simulation",
            "resourcePath": resource,
            "stage": "live",
        },
        "body": request.body.as_ref().map(Value::to_string),
        "isBase64Encoded": false,
    })
}
