//! HTTP in and out, once for all functions.
//!
//! A function implements [`Endpoint`] and hands itself to [`serve`]. What comes in is a [`Call`]: it
//! authenticates, extracts and validates. What goes out is a [`Reply`], or a [`Problem`] (RFC 9457), which can
//! only be an error.

pub mod auth;
pub mod call;
pub mod idempotency;
pub mod lookup;
pub mod openapi;
pub mod password;
pub mod problem;
pub mod reply;
pub mod requests;
#[cfg(test)]
mod samples;
pub mod throttle;
pub mod views;

pub use auth::{Auth, Caller};
pub use call::Call;
pub use idempotency::IdempotencyKey;
pub use problem::Problem;
pub use reply::Reply;

use futures::future::{BoxFuture, FutureExt};
use lambda_http::http::{HeaderValue, header};
use lambda_http::tower::service_fn;
use lambda_http::{Body, Error, Request, Response};
use std::sync::Arc;
use store::StoreError;

/// A function behind the gateway.
pub trait Endpoint: Sized + Send + Sync + 'static {
    /// The function as the environment configures it.
    ///
    /// # Errors
    /// `ErrorKind::Misconfigured` when a variable is missing.
    fn from_env() -> impl Future<Output = Result<Self, StoreError>> + Send;

    /// Answers one request.
    fn answer(&self, call: Call) -> impl Future<Output = Result<Reply, Problem>> + Send;
}

/// Answers requests until the environment is shut down.
///
/// # Errors
/// When the Lambda runtime cannot be reached.
pub async fn serve<E: Endpoint>(endpoint: E) -> Result<(), Error> {
    let endpoint = Arc::new(endpoint);
    poll(Box::new(move |request| {
        let endpoint = Arc::clone(&endpoint);
        async move { respond(endpoint.answer(Call::new(request)).await) }.boxed()
    }))
    .await
}

type Handler = Box<dyn Fn(Request) -> BoxFuture<'static, Response<Body>> + Send + Sync>;

/// Compiled once, and not once for each endpoint.
async fn poll(handler: Handler) -> Result<(), Error> {
    lambda_http::run(service_fn(move |request: Request| {
        let response = handler(request);
        async move { Ok::<_, Error>(response.await) }
    }))
    .await
}

/// A failure is logged here, once, and nowhere else.
fn respond(answer: Result<Reply, Problem>) -> Response<Body> {
    let mut response = match answer {
        Ok(reply) => reply.into_response(),
        Err(problem) => {
            problem.log();
            problem.into_response()
        }
    };
    // Names and texts in answers are other people's: no browser shall take them for a page.
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}
