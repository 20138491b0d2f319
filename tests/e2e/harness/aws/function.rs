//! How functions are deployed, and invoking those that are not behind the gateway.

use crate::harness::signed::send_signed;
use crate::harness::stack::stack;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Names and values.
pub(crate) type Environment = Vec<(String, String)>;

/// How a function is deployed.
#[derive(Clone)]
pub(crate) struct Deployed {
    pub(crate) environment: Environment,
    /// The ARN of its role.
    pub(crate) role: String,
    pub(crate) memory_mib: u64,
}

/// The environment that a function is deployed with.
pub(crate) async fn function_environment(function: &str) -> Environment {
    deployed(function).await.environment
}

/// How a function is deployed. It is asked for once.
pub(crate) async fn deployed(function: &str) -> Deployed {
    static KNOWN: Mutex<BTreeMap<String, Deployed>> = Mutex::new(BTreeMap::new());
    let known = KNOWN.lock().unwrap().get(function).cloned();
    match known {
        Some(known) => known,
        None => {
            let deployed = configuration(function).await;
            let deployed = Deployed {
                environment: deployed["Environment"]["Variables"]
                    .as_object()
                    .unwrap()
                    .iter()
                    .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                    .collect(),
                role: deployed["Role"].as_str().unwrap().to_owned(),
                memory_mib: deployed["MemorySize"].as_u64().unwrap(),
            };
            KNOWN
                .lock()
                .unwrap()
                .insert(function.to_owned(), deployed.clone());
            deployed
        }
    }
}

async fn configuration(function: &str) -> Value {
    let name = stack().functions.get(function);
    let name = name.unwrap_or_else(|| panic!("{function} is not deployed"));
    let lambda = stack().url_of("lambda");
    let url = format!("{lambda}/2015-03-31/functions/{name}/configuration");
    let answer = send_signed("lambda", "GET", &url, &[], "").await;
    answer.expect(200).json()
}

/// Invokes a function that is not behind the gateway. Returns its answer, or its error.
pub(crate) async fn invoke(function: &str, payload: &Value) -> Result<Value, Value> {
    let name = stack().functions.get(function);
    let name = name.unwrap_or_else(|| panic!("{function} is not deployed"));
    let lambda = stack().url_of("lambda");
    let url = format!("{lambda}/2015-03-31/functions/{name}/invocations");
    let answer = send_signed("lambda", "POST", &url, &[], payload.to_string()).await;
    let failed = !answer.header("x-amz-function-error").is_empty();
    let said = answer.expect(200).json();
    if failed { Err(said) } else { Ok(said) }
}
