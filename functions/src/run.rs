//! What every program does: it starts its function, and hands it what comes.
//!
//! An `async fn` is compiled where it is awaited at last. So each module starts its own function (`main`), and all of
//! them are compiled here, once; if the programs did it, each would compile all that its function calls again.

use crate::invocation::Invocation;
use api::Handler;
use futures::future::{FutureExt, LocalBoxFuture};
use host::Clock;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use store::{Environment, StoreError};
use tokio::runtime::Builder;

/// What a program ends with.
pub type Exit = Result<(), Error>;

/// A function that is not behind the gateway: invoked by a schedule, a queue, or an administrator.
pub trait Trigger: Sized + 'static {
    /// What it is invoked with.
    type Input: DeserializeOwned;
    /// What it returns.
    type Output: Serialize;
    /// Why an invocation failed.
    type Error: Into<Error>;

    /// The function as the environment configures it.
    ///
    /// # Errors
    /// `ErrorKind::Misconfigured` when a variable is missing.
    fn new(environment: &Environment) -> Result<Self, StoreError>;

    /// Works on one event.
    ///
    /// # Errors
    /// As the function says.
    fn run(
        &self,
        event: Self::Input,
        invocation: Invocation,
    ) -> impl Future<Output = Result<Self::Output, Self::Error>>;
}

/// The program of a function behind the gateway.
pub(crate) fn serve<H: Handler>() -> Exit {
    start(&mut Builder::new_current_thread(), api::serve::<H>())
}

/// The program of a function that is triggered.
pub(crate) fn run<T: Trigger>() -> Exit {
    start(&mut Builder::new_current_thread(), poll_for::<T>())
}

/// The same, where one invocation has work for several cores.
pub(crate) fn run_on_all_cores<T: Trigger>() -> Exit {
    start(&mut Builder::new_multi_thread(), poll_for::<T>())
}

/// Fails when the function is not configured, or the Lambda runtime cannot be reached.
fn start(threads: &mut Builder, program: impl Future<Output = Exit>) -> Exit {
    telemetry::logging::init();
    threads.enable_all().build()?.block_on(program)
}

async fn poll_for<T: Trigger>() -> Exit {
    let environment = Environment::of_process().await;
    poll(service(T::new(&environment)?, environment.clock)).await
}

type Service = Box<dyn Fn(LambdaEvent<Value>) -> LocalBoxFuture<'static, Result<Value, Error>>>;

fn service<T: Trigger>(trigger: T, clock: Clock) -> Service {
    let trigger = std::rc::Rc::new(trigger);
    Box::new(move |event| {
        let trigger = std::rc::Rc::clone(&trigger);
        async move {
            // The error says which member is wrong.
            let request = serde_path_to_error::deserialize(event.payload)?;
            let answer = trigger.run(request, Invocation::new(&event.context, clock));
            let answer = answer.await.map_err(Into::into)?;
            Ok(serde_json::to_value(answer)?)
        }
        .boxed_local()
    })
}

async fn poll(service: Service) -> Exit {
    lambda_runtime::run(service_fn(service)).await
}
