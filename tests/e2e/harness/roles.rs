//! What functions may do that a test runs alone: what they may where they are deployed.

use super::aws::{Deployed, iam_query, percent_encoded, policies_of};
use super::bytes::unique;
use super::stack::stack;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use tokio::sync::Mutex;

/// The copies that there are, by what they are copies of and for what.
static COPIES: Mutex<BTreeMap<String, String>> = Mutex::const_new(BTreeMap::new());

/// A role that is a copy of a function's for things of a test's own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Copy {
    /// What it is called.
    pub(crate) role: String,
    /// The ARN of the function's role.
    pub(crate) of: String,
    /// The ARNs of the stack's things, and of those that are in their place.
    pub(crate) swapped: Vec<(String, String)>,
}

/// The role of a function with some variables of its environment changed. When they name a table, a bucket, queues or
/// secrets of a test's own, its role does not know those; then it is a copy that may do the same with them.
pub(crate) async fn role_for(deployed: &Deployed, environment: &[(&str, &str)]) -> String {
    let swapped = environment.iter().filter_map(|(name, new)| {
        let (_, old) = deployed.environment.iter().find(|(known, _)| known == name)?;
        let both = (arn(name, old)?, arn(name, new)?);
        (both.0 != both.1).then_some(both)
    });
    let swapped: Vec<_> = swapped.collect();
    if swapped.is_empty() {
        return deployed.role.clone();
    }
    let mut copies = COPIES.lock().await;
    let which = format!("{} {swapped:?}", deployed.role);
    if let Some(role) = copies.get(&which) {
        return role.clone();
    }
    let copy = Copy {
        role: format!("e2e-{:x}", unique()),
        of: deployed.role.clone(),
        swapped,
    };
    make(&copy).await;
    let (place, _) = deployed.role.rsplit_once('/').unwrap();
    let role = format!("{place}/{}", copy.role);
    copies.insert(which, role.clone());
    role
}

async fn make(copy: &Copy) {
    let about = format!("Version=2010-05-08&RoleName={}", copy.role);
    let trust = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let trust = percent_encoded(trust);
    iam_query(&format!(
        "Action=CreateRole&AssumeRolePolicyDocument={trust}&{about}"
    ))
    .await;
    for (index, policy) in policies_of(&copy.of).await.into_iter().enumerate() {
        let mut policy = policy.to_string();
        for (old, new) in &copy.swapped {
            policy = policy.replace(old, new);
        }
        let policy = percent_encoded(&policy);
        iam_query(&format!(
            "Action=PutRolePolicy&PolicyName=p{index}&PolicyDocument={policy}&{about}"
        ))
        .await;
    }
    if let Some(path) = std::env::var_os("LONGSHORE_ROLE_COPIES") {
        let mut file = File::options().create(true).append(true).open(path).unwrap();
        // In one write: other tests append at the same time.
        let line = serde_json::to_string(copy).unwrap() + "\n";
        file.write_all(line.as_bytes()).unwrap();
    }
}

/// The ARN of what a variable of a function's environment names.
fn arn(variable: &str, value: &str) -> Option<String> {
    let region = &stack().region;
    if variable.ends_with("_QUEUE_URL") {
        let mut path = value.rsplit('/');
        let (name, account) = (path.next()?, path.next()?);
        return Some(format!("arn:aws:sqs:{region}:{account}:{name}"));
    }
    match variable {
        "TABLE_NAME" => Some(format!("arn:aws:dynamodb:{region}:000000000000:table/{value}")),
        "BUCKET_NAME" => Some(format!("arn:aws:s3:::{value}")),
        "SIGNING_SECRET_ID" | "TARGETS_SECRET_ID" => Some(value.to_owned()),
        _ => None,
    }
}

/// The copies that were made in this run, by any process.
pub(crate) fn copies() -> Vec<Copy> {
    let path = std::env::var_os("LONGSHORE_ROLE_COPIES").expect("cargo xtask test says where it is");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The permissions of a role: each action with each resource.
pub(crate) async fn permissions(role: &str) -> Vec<(String, String)> {
    let all = |value: &Value| match value {
        Value::Array(values) => values
            .iter()
            .map(|value| value.as_str().unwrap().to_owned())
            .collect(),
        value => vec![value.as_str().unwrap().to_owned()],
    };
    let mut permissions = Vec::new();
    for policy in policies_of(role).await {
        for statement in policy["Statement"].as_array().unwrap() {
            assert_eq!(statement["Effect"], "Allow", "{role}: {statement}");
            for action in all(&statement["Action"]) {
                let resources: Vec<String> = all(&statement["Resource"]);
                permissions.extend(resources.into_iter().map(|resource| (action.clone(), resource)));
            }
        }
    }
    permissions
}
