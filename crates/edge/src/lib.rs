//! HTTP in and out, once for all functions.
//!
//! A function implements [`Endpoint`] and hands itself to [`serve`]. What comes in is a [`Call`]: it
//! authenticates, extracts and validates. What goes out is a [`Reply`], or a [`Problem`] (RFC 9457), which can
//! only be an error.

pub mod auth;
pub mod call;
pub mod deadline;
pub mod idempotency;
pub mod lookup;
pub mod metrics;
pub mod password;
pub mod problem;
pub mod reply;
#[cfg(test)]
mod samples;
pub mod views;

pub use auth::{Auth, Caller};
pub use call::Call;
pub use deadline::deadline;
pub use idempotency::IdempotencyKey;
pub use problem::Problem;
pub use reply::Reply;

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
        Ok::<Response<Body>, Error>(match endpoint.answer(Call::new(request)).await {
            Ok(reply) => reply.into_response(),
            Err(problem) => {
                problem.log();
                problem.into_response()
            }
        })
    }))
    .await
}

/// Logs as JSON lines on standard output, where Lambda collects them. `RUST_LOG` sets the level.
pub fn init_logging() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // Fails only if a logger was set up before, which then serves as well.
    let _ = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_current_span(false)
        .try_init();
}
