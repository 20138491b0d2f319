//! HTTP in and out, once for all functions.
//!
//! A function is a [`Handler`] of an endpoint that `wire` declares. A [`Function`] is a handler behind the
//! gateway: by the declaration it authenticates, reads path, query and body, sees to it that an
//! `Idempotency-Key` counts once, and writes the answer or a [`Problem`] (RFC 9457), which can only be an
//! error that the endpoint declares.

// The futures of handlers are deep.
#![recursion_limit = "256"]

pub mod auth;
mod call;
pub mod idempotency;
pub mod lookup;
pub mod password;
pub mod problem;
mod reply;
#[cfg(test)]
mod samples;
pub mod throttle;
pub mod views;

pub use auth::{Admits, Auth, SignedIn};
pub use idempotency::IdempotencyKey;
pub use problem::Problem;

use call::Call;
use domain::session::ClientName;
use domain::throttle::Source;
use futures::future::{BoxFuture, FutureExt};
use lambda_http::http::{HeaderValue, header};
use lambda_http::tower::service_fn;
use lambda_http::{Body, Error, Response};
use problem::ProblemDocument;
use reply::Reply;
use std::sync::Arc;
use store::{Environment, StoreError};
use wire::precondition::IfMatch;
use wire::query::Query;
use wire::{Caller, Endpoint};

/// What answers the requests of an endpoint.
pub trait Handler: Sized + Send + Sync + 'static {
    /// Which one.
    type Endpoint: Endpoint<Caller: Admits>;

    /// The handler as the environment configures it.
    ///
    /// # Errors
    /// `ErrorKind::Misconfigured` when a variable is missing.
    fn new(environment: &Environment) -> impl Future<Output = Result<Self, StoreError>> + Send;

    /// Answers one request.
    fn answer(
        &self,
        request: Request<Self::Endpoint>,
    ) -> impl Future<Output = Result<AnswerOf<Self>, Problem<Self::Endpoint>>> + Send;
}

type AnswerOf<H> = <<H as Handler>::Endpoint as Endpoint>::Answer;

/// A request of somebody who may make it, read.
pub struct Request<E: Endpoint<Caller: Admits>> {
    /// Who makes it: the account, with its session where the endpoint wants one, `()` where anybody may call.
    pub caller: <E::Caller as Admits>::Caller,
    /// The id in the path, and nothing else of it.
    pub path: E::Path,
    /// The parameters of the query string.
    pub query: E::Query,
    /// The body.
    pub body: <E::Body as wire::body::Body>::Value,
    /// The `Idempotency-Key`, of endpoints that take one. A handler writes its answer down under it, in the transaction that
    /// makes what is answered.
    pub key: Option<IdempotencyKey>,
    /// The `If-Match`, of endpoints that take one.
    pub if_match: Option<IfMatch>,
    /// Where it came from.
    pub source: Source,
    /// What the client calls itself.
    pub client: Option<ClientName>,
}

/// A handler behind the gateway.
pub struct Function<H> {
    handler: H,
    /// Where not anybody may call.
    auth: Option<Auth>,
}

impl<H: Handler> Function<H> {
    /// The function as the environment configures it.
    ///
    /// # Errors
    /// `ErrorKind::Misconfigured` when a variable is missing.
    pub async fn new(environment: &Environment) -> Result<Self, StoreError> {
        let auth = match H::Endpoint::CALLER {
            Caller::Anybody => None,
            _ => Some(Auth::new(environment).await?),
        };
        Ok(Self {
            handler: H::new(environment).await?,
            auth,
        })
    }

    /// Answers one request.
    pub async fn respond(&self, request: lambda_http::Request) -> Response<Body> {
        respond(self.answer(&Call::new(request)).await)
    }

    async fn answer(&self, call: &Call) -> Result<Reply, ProblemDocument> {
        let caller = match &self.auth {
            Some(auth) => Some(auth.admit(H::Endpoint::CALLER, call).await?),
            None => None,
        };
        let account = caller.as_ref().map(|caller| caller.account.id.clone());
        let request = Request::<H::Endpoint> {
            caller: <H::Endpoint as Endpoint>::Caller::told(caller)
                .ok_or_else(|| ProblemDocument::internal("the caller is of another kind".to_owned()))?,
            path: call.path()?,
            query: Query::read(call)?,
            body: call.body::<<H::Endpoint as Endpoint>::Body>()?,
            key: match &account {
                Some(account) if H::Endpoint::IDEMPOTENT => {
                    call.idempotency_key(account, collection(H::Endpoint::PATH))?
                }
                _ => None,
            },
            if_match: if H::Endpoint::CONDITIONAL {
                call.if_match()?
            } else {
                None
            },
            source: call.source(),
            client: call.client(),
        };
        let key = request.key.clone();
        let answer = async {
            let answer = self.handler.answer(request).await;
            let answer = answer.map_err(Problem::into_document)?;
            Ok::<_, ProblemDocument>(Reply::new(reply::write(&answer)?)?)
        };
        match (&self.auth, key) {
            (Some(auth), Some(key)) => idempotency::once(&key, auth.table(), answer.boxed()).await,
            _ => answer.await,
        }
    }
}

/// Answers requests of the gateway.
pub type Service = Box<dyn Fn(lambda_http::Request) -> BoxFuture<'static, Response<Body>> + Send + Sync>;

/// A handler behind the gateway, as the environment configures it.
///
/// # Errors
/// `ErrorKind::Misconfigured` when a variable is missing.
pub async fn open<H: Handler>(environment: &Environment) -> Result<Service, StoreError> {
    let function = Arc::new(Function::<H>::new(environment).await?);
    Ok(Box::new(move |request| {
        let function = Arc::clone(&function);
        async move { function.respond(request).await }.boxed()
    }))
}

/// Answers requests until the environment is shut down.
///
/// # Errors
/// When the Lambda runtime cannot be reached.
pub async fn poll(service: Service) -> Result<(), Error> {
    lambda_http::run(service_fn(move |request: lambda_http::Request| {
        let response = service(request);
        async move { Ok::<_, Error>(response.await) }
    }))
    .await
}

/// What keys are counted by: `uploads`, of `/v1/uploads`.
fn collection(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// A failure is logged here, once, and nowhere else; what is a part of an answer, where it becomes one.
fn respond(answer: Result<Reply, ProblemDocument>) -> Response<Body> {
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
