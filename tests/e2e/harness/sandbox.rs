//! One function as Lambda runs it: the real `bootstrap`, in a process of its own, with the environment that it is
//! deployed with, asking this test for events, and reaching AWS through a [`Proxy`].

use super::aws::{credentials_of, deployed};
use super::bytes::unique;
use super::leases::has_leases_of_its_own;
use super::proxy::{Act, Proxy, Seen};
use super::roles::role_for;
use super::secrets::{secrets_in, values};
use super::stack::{bootstrap, stack};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// How long an invocation may take, as far as the function knows, unless a test says otherwise.
const TIME: Duration = Duration::from_mins(1);

/// The side of Lambda that functions ask.
struct Runtime {
    events: tokio::sync::Mutex<mpsc::UnboundedReceiver<Value>>,
    answers: mpsc::UnboundedSender<Value>,
    /// Whether the function has begun to ask for events.
    asked: watch::Sender<bool>,
    time: Mutex<Duration>,
}

/// A function's process.
pub(crate) struct Sandbox {
    pub(crate) proxy: Arc<Proxy>,
    process: Arc<Mutex<Child>>,
    log: NamedTempFile,
    events: mpsc::UnboundedSender<Value>,
    answers: mpsc::UnboundedReceiver<Value>,
    asked: watch::Receiver<bool>,
    runtime: Arc<Runtime>,
    task: JoinHandle<()>,
    /// What must not be in its log.
    secrets: &'static [String],
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        kill(&self.process);
        self.task.abort();
        let log = std::fs::read_to_string(self.log.path()).unwrap_or_default();
        if std::thread::panicking() {
            println!("{log}");
        } else {
            assert_eq!(secrets_in(&log, self.secrets), []);
        }
    }
}

impl Sandbox {
    /// Starts a function whose calls `rule` decides about.
    pub(crate) async fn start(function: &str, rule: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        Self::start_with(function, rule, &[]).await
    }

    /// The same with something else in the environment than it is deployed with.
    pub(crate) async fn start_with(
        function: &str,
        rule: impl Fn(&Seen) -> Act + Send + Sync + 'static,
        environment: &[(&str, &str)],
    ) -> Self {
        let deployed = deployed(function).await;
        let credentials = if stack().is_localstack() {
            // It enforces no roles.
            None
        } else {
            let role = role_for(&deployed, environment).await;
            Some(credentials_of(&role).await)
        };
        let signs_with = match &credentials {
            Some(role) => vec![
                ("AWS_ACCESS_KEY_ID", role.access_key_id().to_owned()),
                ("AWS_SECRET_ACCESS_KEY", role.secret_access_key().to_owned()),
                ("AWS_SESSION_TOKEN", role.session_token().unwrap().to_owned()),
            ],
            None => vec![
                ("AWS_ACCESS_KEY_ID", "test".to_owned()),
                ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ],
        };
        let proxy = Arc::new(Proxy::start_for(rule, credentials).await);
        if function == "sweep" {
            has_leases_of_its_own(&proxy);
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (events, take_events) = mpsc::unbounded_channel();
        let (give_answers, answers) = mpsc::unbounded_channel();
        let (give_asked, asked) = watch::channel(false);
        let runtime = Arc::new(Runtime {
            events: tokio::sync::Mutex::new(take_events),
            answers: give_answers,
            asked: give_asked,
            time: Mutex::new(TIME),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&runtime)));
        let log = NamedTempFile::new().unwrap();
        let output = |file: &File| Stdio::from(file.try_clone().unwrap());
        let child = Command::new(bootstrap(function))
            .env_clear()
            .envs(deployed.environment)
            .envs(signs_with)
            .envs([
                ("AWS_REGION", stack().region.as_str()),
                ("AWS_ENDPOINT_URL", &proxy.url),
                ("AWS_LAMBDA_FUNCTION_NAME", function),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
                ("AWS_LAMBDA_RUNTIME_API", &address),
            ])
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(output(log.as_file()))
            .stderr(output(log.as_file()))
            .spawn()
            .unwrap();
        let process = Arc::new(Mutex::new(child));
        let victim = Arc::clone(&process);
        proxy.on_kill(move || kill(&victim));
        Self {
            proxy,
            process,
            log,
            events,
            answers,
            asked,
            runtime,
            task,
            secrets: values().await,
        }
    }

    /// How long invocations may take from now on.
    pub(crate) fn set_time(&self, time: Duration) {
        *self.runtime.time.lock().unwrap() = time;
    }

    /// As `kill -9` does.
    pub(crate) fn killer(&self) -> impl Fn() + Send + Sync + Clone + use<> {
        let process = Arc::clone(&self.process);
        move || kill(&process)
    }

    /// Whether its process has ended.
    pub(crate) fn is_dead(&self) -> bool {
        self.process.lock().unwrap().try_wait().unwrap().is_some()
    }

    /// What the kernel calls its process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.lock().unwrap().id()
    }

    /// What the function wrote so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }

    /// The same, for code that does not have the sandbox itself.
    pub(crate) fn log_reader(&self) -> impl Fn() -> String + Send + use<> {
        let path = self.log.path().to_owned();
        move || std::fs::read_to_string(&path).unwrap_or_default()
    }

    /// Waits until the function is ready for events.
    pub(crate) async fn ready(&mut self) {
        self.asked.wait_for(|asked| *asked).await.unwrap();
    }

    /// Hands an event over and returns the answer; `None` when the function died.
    pub(crate) async fn invoke(&mut self, event: &Value) -> Option<Value> {
        self.events.send(event.clone()).unwrap();
        loop {
            tokio::select! {
                answer = self.answers.recv() => return answer,
                () = tokio::time::sleep(Duration::from_millis(10)) => {
                    if self.is_dead() {
                        return None;
                    }
                }
            }
        }
    }
}

/// The most memory that a process has used so far, in KiB: the kernel's own high-water mark. Nothing when it is gone.
pub(crate) fn peak_memory(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let mut lines = status.lines();
    let mark = lines.find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    mark?.trim().parse().ok()
}

/// As `kill -9` does, and waits until it is dead.
fn kill(process: &Mutex<Child>) {
    let mut process = process.lock().unwrap();
    let _ = process.kill();
    let _ = process.wait();
}

async fn accept(listener: TcpListener, runtime: Arc<Runtime>) {
    while let Ok((stream, _)) = listener.accept().await {
        let runtime = Arc::clone(&runtime);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(&runtime, request));
            // An error here is the function gone.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// `GET .../invocation/next`, `POST .../invocation/{id}/response`, and the two kinds of `error`.
async fn answer(runtime: &Runtime, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.method() == Method::GET {
        let _ = runtime.asked.send(true);
        let event = runtime.events.lock().await.recv().await;
        let Some(event) = event else {
            return Ok(Response::builder().status(410).body(Full::default()).unwrap());
        };
        let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + *runtime.time.lock().unwrap();
        let response = Response::builder()
            .header("content-type", "application/json")
            .header(
                "lambda-runtime-aws-request-id",
                "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            )
            .header("lambda-runtime-deadline-ms", deadline.as_millis().to_string())
            .header(
                "lambda-runtime-invoked-function-arn",
                "arn:aws:lambda:us-east-1:000000000000:function:e2e",
            )
            .header(
                "lambda-runtime-trace-id",
                "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0",
            )
            .body(Full::from(event.to_string()));
        return Ok(response.unwrap());
    }
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let answer = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let answer = if path.ends_with("/error") {
        json!({ "error": answer })
    } else {
        answer
    };
    let _ = runtime.answers.send(answer);
    Ok(Response::builder().status(202).body(Full::default()).unwrap())
}

/// An event as the gateway makes it of a request to the endpoint of a function.
pub(crate) fn http_event(function: &str, id: Option<&str>, token: &str, body: Option<&Value>) -> Value {
    let endpoint = wire::endpoint(function).expect("a function with an endpoint");
    let (method, resource) = (endpoint.method, endpoint.path);
    let path = resource.replace("{id}", id.unwrap_or_default());
    let authorization = format!("Bearer {token}");
    json!({
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": { "Authorization": authorization, "Content-Type": "application/json", "Host": "localhost" },
        "multiValueHeaders": {
            "Authorization": [authorization], "Content-Type": ["application/json"], "Host": ["localhost"],
        },
        "queryStringParameters": null,
        "multiValueQueryStringParameters": null,
        "pathParameters": id.map(|id| json!({ "id": id })),
        "stageVariables": null,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "e2e",
            "httpMethod": method,
            "identity": { "sourceIp": "127.0.0.1", "userAgent": "e2e" },
            "path": format!("/live{path}"),
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "requestTime": "01/Jan/2026:00:00:00 +0000",
            "requestTimeEpoch": 1_767_225_600_000_u64,
            "resourceId": "e2e",
            "resourcePath": resource,
            "stage": "live",
        },
        "body": body.map(Value::to_string),
        "isBase64Encoded": false,
    })
}

/// The same event with a parameter in its query.
pub(crate) fn with_query(mut event: Value, name: &str, value: &str) -> Value {
    event["queryStringParameters"] = json!({ name: value });
    event["multiValueQueryStringParameters"] = json!({ name: [value] });
    event
}

/// An address that nobody else has.
pub(crate) fn new_address() -> String {
    let unique = unique();
    format!("2001:db8:{:x}:{:x}::1", unique >> 16 & 0xffff, unique & 0xffff)
}

/// The same event from another address, as the gateway sees it.
pub(crate) fn from_address(mut event: Value, address: &str) -> Value {
    event["requestContext"]["identity"]["sourceIp"] = address.into();
    event
}

/// The same event with one more header.
pub(crate) fn with_header(mut event: Value, name: &str, value: &str) -> Value {
    event["headers"][name] = json!(value);
    event["multiValueHeaders"][name] = json!([value]);
    event
}
