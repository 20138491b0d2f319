//! HTTP in and out, once for all functions.
//!
//! A function implements [`Endpoint`] and hands itself to [`serve`]. What comes in is a [`Call`]: it
//! authenticates, extracts and validates. What goes out is a [`Reply`], or a [`Problem`] (RFC 9457), which can
//! only be an error.

pub mod auth;
pub mod call;
pub mod deadline;
pub mod idempotency;
pub mod logging;
pub mod lookup;
pub mod metrics;
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
pub use deadline::deadline;
pub use idempotency::IdempotencyKey;
pub use problem::Problem;
pub use reply::Reply;

use lambda_http::http::{HeaderValue, header};
use lambda_http::tower::service_fn;
use lambda_http::{Body, Error, Request, Response};

/// A function behind the gateway.
pub trait Endpoint {
    /// Answers one request.
    fn answer(&self, call: Call) -> impl Future<Output = Result<Reply, Problem>> + Send;
}

/// Answers requests until the environment is shut down. A failure is logged here, once, and nowhere else.
///
/// # Errors
/// When the Lambda runtime cannot be reached.
pub async fn serve<E: Endpoint + Sync>(endpoint: E) -> Result<(), Error> {
    let endpoint = &endpoint;
    lambda_http::run(service_fn(move |request: Request| async move {
        let mut response = match endpoint.answer(Call::new(request)).await {
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
        Ok::<Response<Body>, Error>(response)
    }))
    .await
}
