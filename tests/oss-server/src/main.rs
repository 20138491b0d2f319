//! The strict OSS server as a program. When it is ready it prints one line of JSON; it runs until it is killed.

#![allow(clippy::disallowed_methods, reason = "nothing hands it another time")]

use anyhow::{Context, Result};
use clap::Parser;
use oss_server::{Etags, Server, Settings};
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

/// A strict Alibaba Cloud OSS server for tests, on 127.0.0.1.
#[derive(Parser)]
struct Arguments {
    /// Where the data is
    #[arg(long)]
    dir: PathBuf,
    /// 0 for any that is free
    #[arg(long, default_value_t = 0)]
    port: u16,
    #[arg(long)]
    bucket: String,
    #[arg(long, default_value = "cn-hangzhou")]
    region: String,
    #[arg(long)]
    access_key_id: String,
    #[arg(long)]
    secret_access_key: String,
    /// Makes the credentials temporary ones, which come with this token
    #[arg(long)]
    security_token: Option<String>,
    /// A host that stands for the bucket; may be given several times
    #[arg(long)]
    custom_domain: Vec<String>,
    /// What an `ETag` is: md5, or random as in a bucket that encrypts
    #[arg(long, default_value = "md5")]
    etags: Etags,
    /// A PEM file, for HTTPS
    #[arg(long, requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    #[arg(long, requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// What the header x-oss-server-admin must be for /-/faults and /-/state; random otherwise
    #[arg(long)]
    admin_token: Option<String>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let server = Server::start(Settings {
        folder: arguments.dir,
        port: arguments.port,
        bucket: arguments.bucket.clone(),
        region: arguments.region.clone(),
        access_key_id: arguments.access_key_id,
        secret_access_key: arguments.secret_access_key,
        security_token: arguments.security_token,
        custom_domains: arguments.custom_domain,
        etags: arguments.etags,
        tls: arguments.tls_cert.zip(arguments.tls_key),
        admin_token: arguments.admin_token,
    })
    .context("the OSS server cannot start")?;
    let ready = json!({
        "endpoint": server.endpoint,
        "bucket": arguments.bucket,
        "region": arguments.region,
        "admin_token": server.admin_token,
    });
    writeln!(std::io::stdout(), "{ready}")?;
    loop {
        // Nothing has to be done at the end: whatever was answered is on disk.
        std::thread::park();
    }
}
