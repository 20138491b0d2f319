//! How both kinds of target are connected to.

use crate::error::ReplicaError;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use domain::targets::{Invalid, Target};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use store::Environment;

/// How long it may take to connect.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

const TLS: Provider = Provider::Rustls(CryptoMode::AwsLc);

/// A client for the AWS SDK: the environment's, or one that trusts what the target says.
///
/// # Errors
/// [`ReplicaError::Misconfigured`] when the CA bundle cannot be used.
pub(crate) fn client(target: &Target, environment: &Environment) -> Result<SharedHttpClient, ReplicaError> {
    if let Some(connector) = environment.servers() {
        let connector = connector.clone();
        return Ok(http_client_fn(move |_, _| connector.clone()));
    }
    let builder = Builder::new().tls_provider(TLS).tls_context(trust(target)?);
    Ok(builder.build_with_resolver(Resolver))
}

/// A client without the AWS SDK around it. The SDK's own, so that there is one HTTP library.
///
/// # Errors
/// [`ReplicaError::Misconfigured`] when the CA bundle cannot be used.
pub(crate) fn connector(
    target: &Target,
    environment: &Environment,
) -> Result<SharedHttpConnector, ReplicaError> {
    if let Some(connector) = environment.servers() {
        return Ok(connector.clone());
    }
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT);
    let builder = Connector::builder()
        .connector_settings(settings.build())
        .tls_provider(TLS)
        .tls_context(trust(target)?);
    Ok(SharedHttpConnector::new(builder.build_with_resolver(Resolver)))
}

/// The public certificates, and those of the target's CA bundle.
fn trust(target: &Target) -> Result<TlsContext, ReplicaError> {
    let mut store = TrustStore::default();
    if let Some(bundle) = &target.ca_bundle {
        if let Err(problem) = check(bundle) {
            let field = format!("targets.{}.ca_bundle", target.name);
            return Err(Invalid { field, problem }.into());
        }
        store.add_pem_certificate(bundle.as_bytes());
    }
    TlsContext::builder()
        .with_trust_store(store)
        .build()
        .map_err(|error| {
            let field = format!("targets.{}.ca_bundle", target.name);
            let problem = error.to_string();
            Invalid { field, problem }.into()
        })
}

/// The HTTP client panics if a certificate is unusable. So it is tried out here.
fn check(bundle: &str) -> Result<(), String> {
    let mut roots = RootCertStore::empty();
    for (number, certificate) in (1..).zip(CertificateDer::pem_slice_iter(bundle.as_bytes())) {
        let certificate = certificate.map_err(|error| format!("certificate {number} is no PEM: {error}"))?;
        roots
            .add(certificate)
            .map_err(|error| format!("certificate {number} cannot be used: {error}"))?;
    }
    if roots.is_empty() {
        return Err("has no certificate".to_owned());
    }
    Ok(())
}

/// The system's resolver, which does not know everywhere that all names below `localhost` are this machine (RFC 6761).
/// A bucket's name in front of `localhost` is such a name.
#[derive(Debug, Clone)]
struct Resolver;

impl ResolveDns for Resolver {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move {
            if name.ends_with(".localhost") {
                return Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]);
            }
            let found = tokio::net::lookup_host((name, 0)).await;
            let found = found.map_err(ResolveDnsError::new)?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unusable_bundle_is_told_by_its_field() {
        let environment = crate::for_tests::environment();
        for bundle in [
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nAAAA\n",
            "nothing",
        ] {
            let mut target = crate::for_tests::target("http://127.0.0.1:1");
            target.ca_bundle = Some(bundle.to_owned());
            let Err(ReplicaError::Misconfigured(invalid)) = client(&target, &environment) else {
                panic!("accepted {bundle:?}");
            };
            assert_eq!(invalid.field, "targets.far.ca_bundle");
            assert!(connector(&target, &environment).is_err());
        }
    }
}
