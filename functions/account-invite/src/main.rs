//! Invoked by administrators: makes, lists and revokes invitations, and codes that set a password. There is no HTTP way to it:
//! who may invoke it is for IAM to say.

mod handler;

use handler::{AccountInvite, Request};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    let function = &AccountInvite::from_env().await?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Request>| async move {
        Ok::<_, Error>(function.run(event.payload).await?)
    }))
    .await
}
