//! Leases that a function has for itself: the deployed sweep, and one that was killed, hold theirs.

use super::bytes::unique;
use super::proxy::Proxy;
use serde_json::{Value, json};

/// Lets a function have leases of its own.
pub(crate) fn has_leases_of_its_own(proxy: &Proxy) {
    let leases = format!("{:x}", unique());
    proxy.on_send(move |seen| {
        let mut request = seen.json()?;
        name_leases(&leases, &mut request).then_some(request)
    });
}

/// Whether a request is about a lease. It then is about another one.
pub(super) fn name_leases(leases: &str, request: &mut Value) -> bool {
    let Some(name) = request["Key"]["pk"]["S"]
        .as_str()
        .and_then(|pk| pk.strip_prefix("LEASE#"))
    else {
        return false;
    };
    request["Key"]["pk"]["S"] = json!(format!("LEASE#{leases}#{name}"));
    true
}
