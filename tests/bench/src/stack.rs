//! The stack that replicates: what is deployed, and taking its own workers away so that the bench has the messages for
//! itself.

use crate::args::Args;
use crate::aws::AwsEndpoint;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// The target at the real Ceph.
pub(crate) const TARGET: &str = "ceph";

/// A queue whose messages go to workers.
#[derive(Clone)]
pub(crate) struct Mapping {
    pub(crate) queue_url: String,
    pub(crate) queue_arn: String,
    /// How many messages a worker gets at most, 1 to 10.
    pub(crate) batch_size: u64,
}

/// What the worker is deployed with.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) memory_mib: u64,
    pub(crate) timeout: Duration,
}

pub(crate) struct Stack {
    pub(crate) aws: AwsEndpoint,
    pub(crate) api_url: String,
    pub(crate) region: String,
    pub(crate) table: String,
    pub(crate) bucket: String,
    /// What the keys of replicas begin with.
    pub(crate) prefix: String,
    pub(crate) mappings: Vec<Mapping>,
    pub(crate) function: Function,
    secret_id: String,
    /// The processes that store and answer, for what they use of the processors.
    pub(crate) emulator_pid: u32,
}

impl Stack {
    /// Reads what is deployed, and stops everything there that works by itself.
    pub(crate) async fn take_over(args: &Args) -> Result<Self> {
        let about = read_json(&args.stack)?;
        let region = text(&about, "region")?;
        let aws = AwsEndpoint::new(text(&about, "endpoint")?, region, "test", "test");
        let name = text(&about["functions"], "replicate")?;
        stop_schedules(&aws).await?;
        let targets = about["targets"].as_array();
        let target = targets
            .into_iter()
            .flatten()
            .find(|target| target["name"] == TARGET);
        let target = target.with_context(|| format!("no target is called {TARGET}"))?;
        let pid = fs::read_to_string(&args.emulator_pid)?;
        Ok(Self {
            mappings: stop_mappings(&aws, name).await?,
            function: function(&aws, name).await?,
            api_url: text(&about, "api_url")?.to_owned(),
            region: region.to_owned(),
            table: text(&about, "table")?.to_owned(),
            bucket: text(&about, "bucket")?.to_owned(),
            prefix: target["prefix"].as_str().unwrap_or_default().to_owned(),
            secret_id: text(&about, "targets_secret_id")?.to_owned(),
            emulator_pid: pid.trim().parse().context("not a process id")?,
            aws,
        })
    }

    /// Tells workers that start from now on where the target is.
    pub(crate) async fn set_target_endpoint(&self, endpoint: &str) -> Result<()> {
        let secret_id = &self.secret_id;
        let id = json!({ "SecretId": secret_id });
        let answer = self
            .aws
            .json("secretsmanager", "secretsmanager.GetSecretValue", &id)
            .await?;
        let mut secret: Value = serde_json::from_str(text(&answer, "SecretString")?)?;
        let targets = secret["targets"].as_array_mut();
        let mut targets = targets.into_iter().flatten();
        let target = targets.find(|target| target["name"] == TARGET);
        target.with_context(|| format!("no target is called {TARGET}"))?["endpoint"] = json!(endpoint);
        let request = json!({
            "SecretId": secret_id,
            "SecretString": secret.to_string(),
            // SDKs make one up; without an SDK it must be there.
            "ClientRequestToken": format!("{:032x}", crate::source::unique()),
        });
        self.aws
            .json("secretsmanager", "secretsmanager.PutSecretValue", &request)
            .await?;
        Ok(())
    }
}

/// The Ceph to copy to.
pub(crate) struct Ceph {
    pub(crate) place: AwsEndpoint,
    pub(crate) bucket: String,
    pub(crate) key_id: String,
    pub(crate) secret: String,
    pub(crate) pids: Vec<u32>,
}

impl Ceph {
    pub(crate) fn read(path: &Path, region: &str) -> Result<Self> {
        let about = read_json(path)?;
        let (key_id, secret) = (text(&about, "access_key_id")?, text(&about, "secret_access_key")?);
        let pids = about["pids"]
            .as_object()
            .context("ceph.json has no process ids")?;
        let pids = pids
            .values()
            .filter_map(|pid| pid.as_u64().and_then(|pid| pid.try_into().ok()));
        Ok(Self {
            place: AwsEndpoint::new(text(&about, "endpoint")?, region, key_id, secret),
            bucket: text(&about, "bucket")?.to_owned(),
            key_id: key_id.to_owned(),
            secret: secret.to_owned(),
            pids: pids.collect(),
        })
    }
}

/// Nothing sweeps or reconciles while something is measured.
async fn stop_schedules(aws: &AwsEndpoint) -> Result<()> {
    let rules = aws.json("events", "AWSEvents.ListRules", &json!({})).await?;
    for rule in rules["Rules"].as_array().into_iter().flatten() {
        let name = json!({ "Name": rule["Name"] });
        aws.json("events", "AWSEvents.DisableRule", &name).await?;
    }
    Ok(())
}

async fn stop_mappings(aws: &AwsEndpoint, function: &str) -> Result<Vec<Mapping>> {
    let path = "/2015-03-31/event-source-mappings";
    let listed = aws
        .send(
            "lambda",
            "GET",
            &format!("{path}?FunctionName={function}"),
            &[],
            "",
        )
        .await?;
    let listed: Value = serde_json::from_slice(&listed.succeeded("ListEventSourceMappings")?.body)?;
    let mut mappings = Vec::new();
    for mapping in listed["EventSourceMappings"].as_array().into_iter().flatten() {
        let disable = json!({ "Enabled": false }).to_string();
        let path = format!("{path}/{}", text(mapping, "UUID")?);
        let answer = aws.send("lambda", "PUT", &path, &[], disable).await?;
        let answer: Value = serde_json::from_slice(&answer.succeeded("UpdateEventSourceMapping")?.body)?;
        let state = text(&answer, "State")?;
        ensure!(
            state.starts_with("Disabl"),
            "a queue still feeds the stack's own workers: {state}"
        );
        mappings.push(parse_mapping(&aws.endpoint, mapping)?);
    }
    ensure!(!mappings.is_empty(), "{function} gets messages from no queue");
    Ok(mappings)
}

fn parse_mapping(endpoint: &str, mapping: &Value) -> Result<Mapping> {
    let arn = text(mapping, "EventSourceArn")?;
    let mut words = arn.rsplit(':');
    let (name, account) = (words.next(), words.next());
    let (name, account) = name.zip(account).context("not the name of a queue")?;
    let size = &mapping["BatchSize"];
    // The emulator hands parameters of the template on as text.
    let parsed = size.as_str().and_then(|text| text.parse().ok());
    let batch_size = size.as_u64().or(parsed).context("a mapping has no BatchSize")?;
    ensure!(
        (1..=10).contains(&batch_size),
        "batches of {batch_size} want a batching window, which is not known here"
    );
    Ok(Mapping {
        queue_url: format!("{endpoint}/{account}/{name}"),
        queue_arn: arn.to_owned(),
        batch_size,
    })
}

async fn function(aws: &AwsEndpoint, name: &str) -> Result<Function> {
    let path = format!("/2015-03-31/functions/{name}/configuration");
    let answer = aws.send("lambda", "GET", &path, &[], "").await?;
    let configuration: Value = serde_json::from_slice(&answer.succeeded("GetFunctionConfiguration")?.body)?;
    let variables = configuration["Environment"]["Variables"].as_object();
    let variables = variables.context("the worker has no environment")?;
    let environment = variables
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    let timeout = configuration["Timeout"].as_u64();
    Ok(Function {
        environment: environment.collect(),
        memory_mib: configuration["MemorySize"].as_u64().unwrap_or(1024),
        timeout: Duration::from_secs(timeout.context("the worker has no time-out")?),
    })
}

fn read_json(path: &Path) -> Result<Value> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))
}

/// A text in a JSON document.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key]
        .as_str()
        .with_context(|| format!("there is no {key:?} in {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_names_its_queue() {
        let mapping = json!({
            "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:copies",
            "BatchSize": "10",
        });
        let mapping = parse_mapping("http://here", &mapping).unwrap();
        assert_eq!(mapping.queue_url, "http://here/000000000000/copies");
        assert_eq!(mapping.batch_size, 10);
    }
}
