//! A worker as Lambda runs it: the real `bootstrap`, in a process of its own, with the environment that it is deployed
//! with, asking here for events.

use crate::stack::Function;
use crate::usage::{self, Cpu};
use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

/// The side of Lambda that functions ask.
struct Runtime {
    events: Mutex<mpsc::UnboundedReceiver<Value>>,
    answers: mpsc::UnboundedSender<Result<Value, String>>,
    timeout: Duration,
}

pub(crate) struct Worker {
    process: Child,
    pid: u32,
    events: mpsc::UnboundedSender<Value>,
    answers: mpsc::UnboundedReceiver<Result<Value, String>>,
    task: JoinHandle<()>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Worker {
    /// Starts one that finds AWS at `endpoint`; what it logs goes to the end of `log`.
    pub(crate) async fn start(
        program: &Path,
        function: &Function,
        region: &str,
        endpoint: &str,
        log: &Path,
    ) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let (events, take_events) = mpsc::unbounded_channel();
        let (give_answers, answers) = mpsc::unbounded_channel();
        let runtime = Arc::new(Runtime {
            events: Mutex::new(take_events),
            answers: give_answers,
            timeout: function.timeout,
        });
        let log = File::options().create(true).append(true).open(log)?;
        let process = Command::new(program)
            .env_clear()
            .envs(function.environment.iter().cloned())
            .envs([
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
                ("AWS_REGION", region),
                ("AWS_ENDPOINT_URL", endpoint),
                ("AWS_LAMBDA_FUNCTION_NAME", "replicate"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_LAMBDA_RUNTIME_API", &address),
            ])
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mib.to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self {
            pid: process.id().context("the worker ended at once")?,
            process,
            events,
            answers,
            task: tokio::spawn(accept(listener, runtime)),
        })
    }

    /// Hands an event over and returns the answer.
    pub(crate) async fn invoke(&mut self, event: Value) -> Result<Value> {
        self.events.send(event)?;
        tokio::select! {
            answer = self.answers.recv() => match answer.context("the worker asks for nothing any more")? {
                Ok(answer) => Ok(answer),
                Err(error) => bail!("the worker failed: {error}"),
            },
            status = self.process.wait() => bail!("the worker died: {}", status?),
        }
    }

    /// What it has used so far: memory at its peak in KiB, and processor time.
    pub(crate) fn usage(&self) -> Result<(u64, Cpu)> {
        let memory = usage::peak_memory(self.pid).context("the worker is gone")?;
        ensure!(memory > 0, "the kernel does not tell the worker's memory");
        Ok((memory, Cpu::of(&[self.pid])))
    }

    /// Ends it.
    pub(crate) async fn stop(mut self) -> Result<()> {
        Ok(self.process.kill().await?)
    }
}

async fn accept(listener: TcpListener, runtime: Arc<Runtime>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let runtime = Arc::clone(&runtime);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(&runtime, request));
            // An error here is the worker gone.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// `GET .../invocation/next`, `POST .../invocation/{id}/response`, and the two kinds of `error`.
async fn answer(runtime: &Runtime, request: Request<Incoming>) -> Result<Response<Full<Bytes>>> {
    if request.method() == Method::GET {
        let event = runtime.events.lock().await.recv().await;
        let Some(event) = event else {
            return Ok(Response::builder().status(410).body(Full::default())?);
        };
        let deadline = SystemTime::now().duration_since(UNIX_EPOCH)? + runtime.timeout;
        let response = Response::builder()
            .header("content-type", "application/json")
            .header(
                "lambda-runtime-aws-request-id",
                "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            )
            .header("lambda-runtime-deadline-ms", deadline.as_millis().to_string())
            .header(
                "lambda-runtime-invoked-function-arn",
                "arn:aws:lambda:us-east-1:000000000000:function:replicate",
            )
            .header(
                "lambda-runtime-trace-id",
                "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0",
            )
            .body(Full::from(event.to_string()));
        return Ok(response?);
    }
    let failed = request.uri().path().ends_with("/error");
    let body = request.into_body().collect().await?.to_bytes();
    let said = if failed {
        Err(String::from_utf8_lossy(&body).into_owned())
    } else {
        serde_json::from_slice(&body).map_err(|error| error.to_string())
    };
    let _ = runtime.answers.send(said);
    Ok(Response::builder().status(202).body(Full::default())?)
}
