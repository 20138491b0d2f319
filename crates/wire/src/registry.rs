//! All endpoints, as values. Each resource's module lists its own.

use crate::declaration::Declaration;
use crate::{account, batch, file, folder, openapi, session, target, token, trash, upload, version};
use std::sync::LazyLock;

/// The endpoints by resource, in the order in which documents have them.
const RESOURCES: &[&[Declaration]] = &[
    openapi::ENDPOINTS,
    account::ENDPOINTS,
    session::ENDPOINTS,
    token::ENDPOINTS,
    upload::ENDPOINTS,
    folder::ENDPOINTS,
    file::ENDPOINTS,
    batch::ENDPOINTS,
    version::ENDPOINTS,
    trash::ENDPOINTS,
    target::ENDPOINTS,
];

/// Every endpoint.
pub static ENDPOINTS: LazyLock<Vec<Declaration>> = LazyLock::new(|| RESOURCES.concat());

/// The endpoint of a function, if it has one.
#[must_use]
pub fn endpoint(function: &str) -> Option<&'static Declaration> {
    ENDPOINTS.iter().find(|endpoint| endpoint.function == function)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemas::Schemas;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_endpoints_are_the_same() {
        let set = |of: fn(&Declaration) -> String| ENDPOINTS.iter().map(of).collect::<BTreeSet<_>>().len();
        assert_eq!(set(|e| e.function.to_owned()), ENDPOINTS.len());
        assert_eq!(set(|e| e.operation.to_owned()), ENDPOINTS.len());
        assert_eq!(set(|e| format!("{} {}", e.method, e.path)), ENDPOINTS.len());
    }

    #[test]
    fn what_a_declaration_says_fits_together() {
        for endpoint in ENDPOINTS.iter() {
            let it = (endpoint.describe)(&mut Schemas::new());
            let name = endpoint.function;
            assert_eq!(endpoint.path.contains("{id}"), it.path.is_some(), "{name}: path");
            assert_eq!(endpoint.meanings.len(), it.answers.len(), "{name}: answers");
            assert!(
                !endpoint.idempotent || it.body.is_some(),
                "{name}: a key is for a body"
            );
        }
    }
}
