//! Lambda: it starts instances of functions, gives each one invocation at a time, and ends what takes too long.

use crate::cloud::{AWS, Cloud, Connector, KEY_ID, Link, SECRET_KEY};
use crate::template::{FunctionSettings, Source, Template};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use functions::{Function, Instance};
use host::{Clock, Rng};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};
use store::{Environment, timeouts};

/// A request to the gateway, as it is counted.
pub const API_REQUEST: &str = "API Gateway request";

/// How an invocation ended.
#[derive(Debug)]
pub enum Outcome<T> {
    /// The function answered.
    Answered(T),
    /// The function failed, with this error.
    Failed(String),
    /// A fault killed it.
    Killed,
    /// It took longer than it may.
    TimedOut,
}

/// All functions, deployed.
pub struct Lambda {
    cloud: Cloud,
    clock: Clock,
    rng: Rng,
    functions: BTreeMap<String, Deployed>,
    invocations: Cell<u64>,
}

struct Deployed {
    function: &'static Function,
    settings: FunctionSettings,
    /// Instances that wait for an invocation.
    idle: RefCell<Vec<Warm>>,
}

struct Warm {
    instance: Instance,
    link: Link,
}

impl Lambda {
    /// Deploys every function of the template that is a program: a test holds the template to those.
    #[must_use]
    pub fn deploy(cloud: &Cloud, clock: Clock, rng: &Rng, template: &Template) -> Self {
        let deploy = |(name, settings): (&String, &FunctionSettings)| {
            let found = functions::ALL.iter().find(|(function, _)| function == name);
            let deployed = Deployed {
                function: found?.1,
                settings: settings.clone(),
                idle: RefCell::default(),
            };
            Some((name.clone(), deployed))
        };
        Self {
            cloud: cloud.clone(),
            clock,
            rng: rng.clone(),
            functions: template.functions.iter().filter_map(deploy).collect(),
            invocations: Cell::new(0),
        }
    }

    /// How long an invocation of a function may take.
    fn timeout(&self, function: &str) -> Duration {
        self.functions
            .get(function)
            .map_or(Duration::ZERO, |deployed| deployed.settings.timeout)
    }

    /// The queues whose messages a function works on.
    #[must_use]
    pub fn sources(&self, function: &str) -> &[Source] {
        self.functions
            .get(function)
            .map_or(&[], |deployed| &deployed.settings.sources)
    }

    /// Ends all instances: each function starts anew.
    pub fn forget_instances(&self) {
        for deployed in self.functions.values() {
            deployed.idle.borrow_mut().clear();
        }
    }

    /// Has a function behind the gateway answer a request.
    pub async fn request(&self, function: &str, request: lambda_http::Request) -> Outcome<Answer> {
        self.cloud.count(|counts| counts.request(API_REQUEST));
        let work = async |warm: &Warm, _: u64| match &warm.instance {
            Instance::Handler(answer) => Ok(answer(request).await),
            Instance::Trigger(_) => Err(format!("{function} is not behind the gateway")),
        };
        self.invoke(function, work).await
    }

    /// Has a triggered function work on an event.
    pub async fn event(&self, function: &str, event: Value) -> Outcome<Value> {
        let deadline = self.clock.from_now(self.timeout(function));
        let work = async |warm: &Warm, invocation: u64| match &warm.instance {
            Instance::Trigger(work) => {
                let context = context(invocation, deadline.as_millisecond());
                let answer = work(LambdaEvent::new(event, context)).await;
                answer.map_err(|error| error.to_string())
            }
            Instance::Handler(_) => Err(format!("{function} is behind the gateway")),
        };
        self.invoke(function, work).await
    }

    async fn invoke<T>(
        &self,
        function: &str,
        work: impl AsyncFnOnce(&Warm, u64) -> Result<T, String>,
    ) -> Outcome<T> {
        let Some(deployed) = self.functions.get(function) else {
            return Outcome::Failed(format!("there is no function {function}"));
        };
        let number = self.invocations.get() + 1;
        self.invocations.set(number);
        let warm = deployed.idle.borrow_mut().pop();
        let link = warm
            .as_ref()
            .map_or_else(|| Link::new(function), |warm| warm.link.clone());
        link.begin(number);
        let invocation = async {
            let warm = match warm {
                Some(warm) => warm,
                None => Warm {
                    instance: self.open(deployed, &link).await?,
                    link: link.clone(),
                },
            };
            let computing = self.cloud.computing();
            if !computing.is_zero() {
                tokio::time::sleep(computing).await;
            }
            let answer = work(&warm, number).await;
            Ok::<_, String>((warm, answer))
        };
        let began = self.clock.now();
        let outcome = tokio::select! {
            biased;
            () = link.killed() => Outcome::Killed,
            ended = invocation => match ended {
                Ok((warm, answer)) => {
                    deployed.idle.borrow_mut().push(warm);
                    answer.map_or_else(Outcome::Failed, Outcome::Answered)
                }
                Err(error) => Outcome::Failed(error),
            },
            () = tokio::time::sleep(deployed.settings.timeout) => Outcome::TimedOut,
        };
        let took = self.clock.now().duration_since(began).unsigned_abs();
        let memory = deployed.settings.memory_mib;
        self.cloud
            .count(|counts| counts.invocation(function, took, memory));
        outcome
    }

    async fn open(&self, deployed: &Deployed, link: &Link) -> Result<Instance, String> {
        let environment = self
            .environment(link)
            .with_variables(deployed.settings.variables.clone());
        let opened = deployed.function.open(environment).await;
        opened.map_err(|error| error.to_string())
    }

    /// What an instance is started with, but for its variables.
    fn environment(&self, link: &Link) -> Environment {
        let connector = SharedHttpConnector::new(Connector::new(self.cloud.clone(), link.clone()));
        let config = sdk(self.clock, connector.clone());
        Environment::new(config, self.clock, self.rng.clone()).with_servers(connector)
    }
}

/// What a function behind the gateway answers.
pub type Answer = lambda_http::Response<lambda_http::Body>;

/// The AWS SDK with the time of the simulation.
fn sdk(clock: Clock, connector: SharedHttpConnector) -> SdkConfig {
    let credentials = Credentials::new(KEY_ID, SECRET_KEY, None, None, "simulation");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(AWS)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .time_source(SharedTimeSource::new(Time(clock)))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .retry_config(aws_config::retry::RetryConfig::standard())
        .timeout_config(timeouts())
        .build()
}

/// The simulation's clock, for the SDK.
struct Time(Clock);

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Time")
    }
}

impl TimeSource for Time {
    fn now(&self) -> SystemTime {
        self.0.now().into()
    }
}

fn context(invocation: u64, deadline: i64) -> Context {
    let mut context = Context::default();
    context.request_id = format!("00000000-0000-4000-8000-{invocation:012}");
    context.deadline = u64::try_from(deadline).unwrap_or_default();
    context
}
