//! What every program does: it starts its function, and hands it what comes.
//!
//! What is generic is compiled where its parameters are said. So each module has its own function in a `static`, and all of
//! them are compiled here, once; if the programs did it, each would compile all that its function calls again.

use crate::invocation::Invocation;
use api::Handler;
use futures::future::{FutureExt, LocalBoxFuture};
use host::Clock;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::convert::Infallible;
use std::fmt;
use store::{Environment, StoreError};
use targets::ReplicaError;
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
    type Error: ForLog;

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

/// An error as whoever invokes the function sees it, and as the log has it.
pub trait ForLog: fmt::Display {
    /// The same with all that is known of the cause.
    fn for_log(&self) -> String;
}

impl ForLog for Infallible {
    fn for_log(&self) -> String {
        match *self {}
    }
}

impl ForLog for StoreError {
    fn for_log(&self) -> String {
        StoreError::for_log(self)
    }
}

impl ForLog for ReplicaError {
    fn for_log(&self) -> String {
        ReplicaError::for_log(self)
    }
}

/// A failure in words. The debug form is what the runtime logs of an invocation, and the system of a program that ends.
#[derive(thiserror::Error)]
#[error("{shown}")]
struct Failure {
    shown: String,
    for_log: String,
}

impl Failure {
    fn of(error: &impl ForLog) -> Self {
        Self {
            shown: error.to_string(),
            for_log: error.for_log(),
        }
    }

    /// Of what was sent or is returned, which is all known to whoever invokes the function.
    fn of_json(error: &impl fmt::Display) -> Self {
        let shown = error.to_string();
        Self {
            for_log: shown.clone(),
            shown,
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.for_log)
    }
}

/// A function: what its program runs, and what a test opens in its own process.
pub struct Function {
    open: fn(Environment) -> LocalBoxFuture<'static, Result<Instance, StoreError>>,
    on_all_cores: bool,
}

/// A function that has started.
pub enum Instance {
    /// It answers requests of the gateway.
    Handler(api::Service),
    /// It works on events.
    Trigger(Service),
}

impl Function {
    /// A function behind the gateway.
    pub(crate) const fn served_by<H: Handler>() -> Self {
        Self {
            open: |environment| {
                async move { Ok(Instance::Handler(api::open::<H>(&environment).await?)) }.boxed_local()
            },
            on_all_cores: false,
        }
    }

    /// A function that is triggered.
    pub(crate) const fn triggered<T: Trigger>() -> Self {
        Self {
            open: |environment| {
                let opened = T::new(&environment).map(|trigger| service(trigger, environment.clock));
                async move { Ok(Instance::Trigger(opened?)) }.boxed_local()
            },
            on_all_cores: false,
        }
    }

    /// The same, where one invocation has work for several cores.
    pub(crate) const fn on_all_cores(self) -> Self {
        Self {
            on_all_cores: true,
            ..self
        }
    }

    /// Starts the function as the environment configures it.
    ///
    /// # Errors
    /// `ErrorKind::Misconfigured` when a variable is missing.
    pub async fn open(&self, environment: Environment) -> Result<Instance, StoreError> {
        (self.open)(environment).await
    }

    /// What its program does: it starts the function and works until the system ends it.
    ///
    /// # Errors
    /// When the function is not configured, or the Lambda runtime cannot be reached.
    pub fn main(&self) -> Exit {
        telemetry::logging::init();
        let mut threads = if self.on_all_cores {
            Builder::new_multi_thread()
        } else {
            Builder::new_current_thread()
        };
        threads.enable_all().build()?.block_on(async {
            let opened = self.open(Environment::of_process().await).await;
            match opened.map_err(|error| Failure::of(&error))? {
                Instance::Handler(service) => api::poll(service).await,
                Instance::Trigger(service) => poll(service).await,
            }
        })
    }
}

/// Works on events.
pub type Service = Box<dyn Fn(LambdaEvent<Value>) -> LocalBoxFuture<'static, Result<Value, Error>>>;

fn service<T: Trigger>(trigger: T, clock: Clock) -> Service {
    let trigger = std::rc::Rc::new(trigger);
    Box::new(move |event| {
        let trigger = std::rc::Rc::clone(&trigger);
        async move {
            // The error says which member is wrong.
            let request = serde_path_to_error::deserialize(event.payload);
            let request = request.map_err(|error| Failure::of_json(&error))?;
            let answer = trigger.run(request, Invocation::new(&event.context, clock));
            let answer = answer.await.map_err(|error| Failure::of(&error))?;
            Ok(serde_json::to_value(answer).map_err(|error| Failure::of_json(&error))?)
        }
        .boxed_local()
    })
}

async fn poll(service: Service) -> Exit {
    lambda_runtime::run(service_fn(service)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_runtime::Context;

    struct Fails;

    impl Trigger for Fails {
        type Input = u32;
        type Output = ();
        type Error = StoreError;

        fn new(_: &Environment) -> Result<Self, StoreError> {
            Ok(Self)
        }

        async fn run(&self, _: u32, _: Invocation) -> Result<(), StoreError> {
            Err(StoreError::unavailable("GetItem", "10.0.0.7 does not answer"))
        }
    }

    #[tokio::test]
    async fn a_failure_is_told_in_words_to_whoever_asks_and_to_the_log() {
        let fails = service(Fails, Clock::system());
        let invoked = async |event: Value| {
            fails(LambdaEvent::new(event, Context::default()))
                .await
                .unwrap_err()
        };
        let error = invoked(1.into()).await;
        assert_eq!(error.to_string(), "GetItem failed (no answer)");
        assert_eq!(
            format!("{error:?}"),
            "GetItem failed (no answer): 10.0.0.7 does not answer"
        );
        let error = invoked("one".into()).await;
        assert!(error.to_string().contains("expected u32"), "{error}");
        assert_eq!(format!("{error:?}"), error.to_string());
    }
}
