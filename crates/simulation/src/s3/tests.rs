//! The double is put through the scenarios of `conformance`; here is what only the double has.

mod not_there;
mod presigned;
mod raw;
mod through_store;
mod time;

use crate::s3::S3;
use crate::test_client::{Double, start};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use conformance::run::failures;
use conformance::s3::{Place, SCENARIOS, Wire};
use jiff::SignedDuration;

const BUCKET: &str = "bucket";

fn double() -> Double<S3> {
    let mut s3 = S3::new("AKIDEXAMPLE", "secret");
    s3.create_bucket(BUCKET);
    Double::new(s3, S3::answer)
}

/// Lets time pass at the double.
fn pass(double: &Double<S3>, seconds: i64) {
    double.lock().1 += SignedDuration::from_secs(seconds);
}

fn client(double: &Double<S3>) -> Client {
    let config = Builder::from(&double.sdk())
        .endpoint_url("http://s3.simulation")
        .force_path_style(true);
    Client::from_conf(config.build())
}

fn wire(double: &Double<S3>) -> Wire {
    let double = double.clone();
    Wire::new(start().into(), move |request| {
        let request = HttpRequest::try_from(request.map(SdkBody::from)).unwrap();
        let answer = double.call(request);
        Box::pin(async {
            let answer = answer.await.unwrap().try_into_http1x().unwrap();
            answer.map(|body| Bytes::copy_from_slice(body.bytes().unwrap()))
        })
    })
}

#[tokio::test]
async fn conformance() {
    let make = async || {
        let double = double();
        Place {
            client: client(&double),
            bucket: BUCKET.to_owned(),
            wire: wire(&double),
        }
    };
    let failures = failures(SCENARIOS, &[], 1, make, async |_| ()).await;
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
