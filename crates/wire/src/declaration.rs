//! An endpoint as a value.

use crate::answer::{Answer, Form};
use crate::body::Body;
use crate::endpoint::{Caller, Endpoint};
use crate::path::Path;
use crate::problem::Code;
use crate::query::{Parameter, Query};
use crate::schemas::Schemas;
use schemars::Schema;

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
    /// [`Endpoint::CONDITIONAL`].
    pub conditional: bool,
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
    pub(crate) const fn of<E: Endpoint>() -> Self {
        Self {
            function: E::FUNCTION,
            method: E::METHOD,
            path: E::PATH,
            operation: E::OPERATION,
            summary: E::SUMMARY,
            caller: E::CALLER,
            idempotent: E::IDEMPOTENT,
            conditional: E::CONDITIONAL,
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

    /// Whether a request without a body is refused.
    #[must_use]
    pub fn needs_body(&self) -> bool {
        let it = (self.describe)(&mut Schemas::new());
        it.body.is_some() && !it.body_may_be_absent
    }

    /// Whether it takes this parameter in the query string.
    #[must_use]
    pub fn takes(&self, parameter: &str) -> bool {
        let it = (self.describe)(&mut Schemas::new());
        it.query.iter().any(|taken| taken.name == parameter)
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
