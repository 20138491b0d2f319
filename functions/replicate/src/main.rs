//! SQS: copies blobs to the targets.

mod handler;

use handler::Replicate;
use lambda_runtime::{Error, LambdaEvent, service_fn};

// Not `current_thread` as the others: while one stream is hashed, another is sent, where memory buys more than one core.
#[tokio::main]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    let replicate = &Replicate::from_env().await?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<_>| async move {
        Ok::<_, Error>(Box::pin(replicate.batch(event.payload, &event.context)).await)
    }))
    .await
}
