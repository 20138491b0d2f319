//! All endpoints, as values.

use crate::answer::{Answer, Form};
use crate::body::Body;
use crate::path::Path;
use crate::query::{Parameter, Query};
use crate::{Caller, Code, Endpoint, Schemas};
use crate::{account, file, folder, openapi, session, target, token, upload};
use schemars::Schema;

/// Every endpoint, in the order in which documents have them.
pub const ENDPOINTS: &[Declaration] = &[
    Declaration::of::<openapi::Get>(),
    Declaration::of::<account::Create>(),
    Declaration::of::<account::ResetPassword>(),
    Declaration::of::<account::Get>(),
    Declaration::of::<account::Delete>(),
    Declaration::of::<account::SetPassword>(),
    Declaration::of::<session::Create>(),
    Declaration::of::<session::List>(),
    Declaration::of::<session::Refresh>(),
    Declaration::of::<session::Revoke>(),
    Declaration::of::<session::Delete>(),
    Declaration::of::<session::DeleteAll>(),
    Declaration::of::<token::Create>(),
    Declaration::of::<token::List>(),
    Declaration::of::<token::Delete>(),
    Declaration::of::<upload::Create>(),
    Declaration::of::<upload::List>(),
    Declaration::of::<upload::Get>(),
    Declaration::of::<upload::Prove>(),
    Declaration::of::<upload::SignParts>(),
    Declaration::of::<upload::Complete>(),
    Declaration::of::<upload::Abort>(),
    Declaration::of::<folder::Create>(),
    Declaration::of::<file::List>(),
    Declaration::of::<file::Get>(),
    Declaration::of::<file::Download>(),
    Declaration::of::<file::Delete>(),
    Declaration::of::<target::List>(),
    Declaration::of::<target::Redrive>(),
];

/// The endpoint of a function, if it has one.
#[must_use]
pub fn endpoint(function: &str) -> Option<&'static Declaration> {
    ENDPOINTS.iter().find(|endpoint| endpoint.function == function)
}

/// An [`Endpoint`] as a value.
#[derive(Debug, Clone, Copy)]
pub struct Declaration {
    /// [`Endpoint::FUNCTION`].
    pub function: &'static str,
    /// [`Endpoint::METHOD`].
    pub method: &'static str,
    /// [`Endpoint::PATH`].
    pub path: &'static str,
    /// [`Endpoint::OPERATION`].
    pub operation: &'static str,
    /// [`Endpoint::SUMMARY`].
    pub summary: &'static str,
    /// [`Endpoint::CALLER`].
    pub caller: Caller,
    /// [`Endpoint::IDEMPOTENT`].
    pub idempotent: bool,
    /// [`Endpoint::PROBLEMS`].
    pub problems: &'static [Code],
    pub(crate) meanings: &'static [&'static str],
    pub(crate) describe: fn(&mut Schemas) -> Description,
}

/// What an endpoint reads and answers.
pub(crate) struct Description {
    pub(crate) path: Option<Schema>,
    pub(crate) query: Vec<Parameter>,
    pub(crate) body: Option<Schema>,
    pub(crate) body_may_be_absent: bool,
    pub(crate) answers: Vec<Form>,
}

impl Declaration {
    const fn of<E: Endpoint>() -> Self {
        Self {
            function: E::FUNCTION,
            method: E::METHOD,
            path: E::PATH,
            operation: E::OPERATION,
            summary: E::SUMMARY,
            caller: E::CALLER,
            idempotent: E::IDEMPOTENT,
            problems: E::PROBLEMS,
            meanings: E::MEANINGS,
            describe: describe::<E>,
        }
    }

    /// The status of the answer when all is well; the first one where there are several.
    #[must_use]
    pub fn status(&self) -> u16 {
        let forms = (self.describe)(&mut Schemas::new()).answers;
        forms.first().map_or(200, |form| form.status)
    }
}

fn describe<E: Endpoint>(schemas: &mut Schemas) -> Description {
    Description {
        path: E::Path::schema(schemas),
        query: E::Query::parameters(schemas),
        body: E::Body::schema(schemas),
        body_may_be_absent: E::Body::absent().is_some(),
        answers: E::Answer::forms(schemas),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        for endpoint in ENDPOINTS {
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
