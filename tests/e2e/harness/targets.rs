//! Changes to the targets secret: targets of a test's own, for the files of one account.
//!
//! Many tests change the secret at once. Each reads it, changes it and writes it while no other does, in whichever process, so
//! none loses what another wrote.

use super::aws;
use super::bytes::unique;
use super::private_sweep::PrivateSweep;
use super::stack::stack;
use serde_json::{Value, json};
use std::env;
use std::fs::File;
use std::path::Path;
use tokio::task::spawn_blocking;

/// Changes the targets secret, and has a sweep publish it to all functions. Returns what the edit returns.
pub(crate) async fn change<T>(edit: impl FnOnce(&mut Value) -> T) -> T {
    let _mine = only_one_at_a_time().await;
    let id = &stack().targets_secret_id;
    let mut document = aws::secret(id).await;
    let given = edit(&mut document);
    aws::put_secret(id, &document).await;
    PrivateSweep::new().run().await;
    given
}

/// Until this is dropped, other tests of this stack wait here.
async fn only_one_at_a_time() -> File {
    let stack = env::var_os("LONGSHORE_STACK").unwrap();
    let file = File::create(Path::new(&stack).with_extension("lock")).unwrap();
    let locked = spawn_blocking(move || file.lock().map(|()| file));
    locked.await.unwrap().unwrap()
}

/// A name that no other target has.
pub(crate) fn new_name(kind: &str) -> String {
    format!("{kind}-{:x}", unique())
}

/// Lets the files of an account have replicas at these targets and no others. No other account's files get there.
pub(crate) async fn only_for(account: &str, targets: &[Value]) -> OnlyFor {
    let mut targets = targets.to_vec();
    for target in &mut targets {
        target["only_by_policy"] = json!(true);
    }
    let names: Vec<Value> = targets.iter().map(|target| target["name"].clone()).collect();
    let policy = json!({ "account": account, "targets": names });
    change(|document| {
        list(document, "targets").extend(targets);
        list(document, "policies").push(policy);
    })
    .await;
    OnlyFor {
        account: account.to_owned(),
        names,
    }
}

/// Targets that one account has for itself.
pub(crate) struct OnlyFor {
    account: String,
    names: Vec<Value>,
}

impl OnlyFor {
    /// Takes them out of the secret again.
    pub(crate) async fn remove(self) {
        change(|document| {
            list(document, "targets").retain(|target| !self.names.contains(&target["name"]));
            list(document, "policies").retain(|policy| policy["account"] != self.account.as_str());
        })
        .await;
    }
}

fn list<'a>(document: &'a mut Value, name: &str) -> &'a mut Vec<Value> {
    if document[name].is_null() {
        document[name] = json!([]);
    }
    document[name].as_array_mut().unwrap()
}
