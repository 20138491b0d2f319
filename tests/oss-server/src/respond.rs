//! The course of a request: authentication, operation, injected fault, result.

use crate::answer::{self, ServerResponse};
use crate::call::Call;
use crate::faults::Kind;
use crate::operation::Operation;
use crate::rate_limiter::RateLimiter;
use crate::refusal::Refusal;
use crate::request::Head;
use crate::service::Service;
use crate::verify::verify;
use crate::{admin, listing, multipart, objects};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Method, Request};
use jiff::Timestamp;
use std::io;
use std::sync::Arc;

/// How much of a refused request's body is read, so that the client gets to hear of the refusal.
const MAX_DRAINED: usize = 64 * 1024 * 1024;

impl Service {
    /// Answers a request. An error closes the connection without an answer.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        rate_limiter: &Arc<RateLimiter>,
    ) -> Result<ServerResponse, io::Error> {
        let request_id = answer::request_id();
        let (parts, mut body) = request.into_parts();
        if admin::is_for(&parts, &self.admin_token) {
            return Ok(admin::answer(self, &parts, body).await);
        }
        let (host, result) = match Head::new(&parts, &self.settings) {
            Ok(head) => (
                head.host.clone(),
                self.carry_out(&head, &mut body, rate_limiter).await?,
            ),
            Err(refusal) => (String::new(), Err(refusal)),
        };
        let answer = match result {
            Ok(answer) => answer,
            Err(refusal) => {
                drain(&mut body).await;
                answer::refused(&refusal, &request_id, &host, parts.method == Method::HEAD)
            }
        };
        let answer = answer::set(answer, "server", "AliyunOSS");
        Ok(answer::set(answer, "x-oss-request-id", &request_id))
    }

    /// The outer error is a fault that a test asked for.
    async fn carry_out(
        &self,
        head: &Head,
        body: &mut Incoming,
        rate_limiter: &Arc<RateLimiter>,
    ) -> Result<Result<ServerResponse, Refusal>, io::Error> {
        let lost = || io::Error::other("a fault that a test asked for");
        let operation = Operation::of(head);
        let known = operation.as_ref().ok().copied();
        self.count(known);
        if let Some(refusal) = self.faults.permanent(known) {
            return Ok(Err(refusal));
        }
        let fault = self.faults.next(known);
        match fault {
            Some(Kind::Reset) => return Err(lost()),
            Some(Kind::Internal) => return Ok(Err(Refusal::internal("A test asked for this."))),
            Some(Kind::Unavailable) => return Ok(Err(Refusal::unavailable("ServiceUnavailable"))),
            Some(hang) => tokio::time::sleep(hang.hang()).await,
            None => {}
        }
        if let Err(refusal) = self.admit(head) {
            return Ok(Err(refusal));
        }
        let call = Call {
            service: self,
            head,
            body,
            rate_limiter,
            corrupt: fault == Some(Kind::CorruptStored),
        };
        let result = match operation {
            Ok(operation) => call.perform(operation).await,
            Err(refusal) => Err(refusal),
        };
        if fault == Some(Kind::ResetAfter) {
            return Err(lost());
        }
        Ok(result)
    }

    fn admit(&self, head: &Head) -> Result<(), Refusal> {
        verify(head, &self.settings, Timestamp::now())?;
        if head.bucket != self.settings.bucket {
            return Err(Refusal::no_such_bucket(&head.bucket));
        }
        let name = &head.key;
        if name.len() > 1023 || name.starts_with('/') || name.starts_with('\\') {
            return Err(Refusal::bad_request(
                "InvalidObjectName",
                "The specified object is not valid.",
            ));
        }
        Ok(())
    }
}

impl Call<'_> {
    async fn perform(self, operation: Operation) -> Result<ServerResponse, Refusal> {
        match operation {
            Operation::PutObject => objects::put(self).await,
            Operation::GetObject => objects::get(&self),
            Operation::HeadObject => objects::head(&self),
            Operation::DeleteObject => objects::delete(&self),
            Operation::DeleteMultipleObjects => objects::delete_many(self).await,
            Operation::ListObjects => listing::objects(&self),
            Operation::ListObjectsV2 => listing::objects_v2(&self),
            Operation::GetBucketInfo => listing::bucket_info(&self),
            Operation::InitiateMultipartUpload => multipart::initiate(&self),
            Operation::UploadPart => multipart::upload_part(self).await,
            Operation::CompleteMultipartUpload => multipart::complete(self).await,
            Operation::AbortMultipartUpload => multipart::abort(&self),
            Operation::ListMultipartUploads => multipart::list_uploads(&self),
            Operation::ListParts => multipart::list_parts(&self),
        }
    }
}

async fn drain(body: &mut Incoming) {
    let mut size = 0;
    while size < MAX_DRAINED {
        let Some(Ok(frame)) = body.frame().await else {
            return;
        };
        size += frame.data_ref().map_or(0, bytes::Bytes::len);
    }
}
