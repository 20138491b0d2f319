//! Answers that are no problems: what they are on the wire, and how the OpenAPI document describes them.

use crate::Schemas;
use crate::body::Json;
use crate::precondition::tag;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::{Map, Value};

/// An answer as it is sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Written {
    /// The HTTP status.
    pub status: u16,
    /// Headers, but for those that all answers have.
    pub headers: Vec<(&'static str, String)>,
    /// JSON, if there is any.
    pub body: Option<String>,
}

/// An answer as it is described.
pub struct Form {
    pub(crate) status: u16,
    pub(crate) schema: Option<Schema>,
    pub(crate) headers: &'static [(&'static str, &'static str)],
}

/// What an endpoint answers when all is well.
pub trait Answer: Sized + Send + 'static {
    /// What it says, on the wire.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    fn write(&self) -> Result<Written, serde_json::Error>;

    /// The forms that it has: one, or more where it is an [`Either`].
    fn forms(schemas: &mut Schemas) -> Vec<Form>;
}

const LOCATION: &[(&str, &str)] = &[(
    "Location",
    "Where it can be read, relative to the address of this request",
)];

fn form<T: JsonSchema>(
    schemas: &mut Schemas,
    status: u16,
    headers: &'static [(&'static str, &'static str)],
) -> Vec<Form> {
    let schema = Some(schemas.answer::<T>());
    vec![Form {
        status,
        schema,
        headers,
    }]
}

fn written(
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: &impl Serialize,
) -> Result<Written, serde_json::Error> {
    Ok(Written {
        status,
        headers,
        body: Some(serde_json::to_string(body)?),
    })
}

impl<T: Serialize + JsonSchema + Send + 'static> Answer for Json<T> {
    fn write(&self) -> Result<Written, serde_json::Error> {
        written(200, Vec::new(), &self.0)
    }

    fn forms(schemas: &mut Schemas) -> Vec<Form> {
        form::<T>(schemas, 200, &[])
    }
}

/// 201: it was made, and can be read at `location`. That is relative to the address of the request, because a stage of the
/// gateway or a custom domain may put something in front of `/v1`.
#[derive(Debug)]
pub struct Created<T> {
    /// Where.
    pub location: String,
    /// What.
    pub body: T,
}

impl<T: Serialize + JsonSchema + Send + 'static> Answer for Created<T> {
    fn write(&self) -> Result<Written, serde_json::Error> {
        written(201, vec![("location", self.location.clone())], &self.body)
    }

    fn forms(schemas: &mut Schemas) -> Vec<Form> {
        form::<T>(schemas, 201, LOCATION)
    }
}

/// 200: it can be read again at `location`.
#[derive(Debug)]
pub struct Located<T> {
    /// Where.
    pub location: String,
    /// What.
    pub body: T,
}

impl<T: Serialize + JsonSchema + Send + 'static> Answer for Located<T> {
    fn write(&self) -> Result<Written, serde_json::Error> {
        written(200, vec![("location", self.location.clone())], &self.body)
    }

    fn forms(schemas: &mut Schemas) -> Vec<Form> {
        form::<T>(schemas, 200, LOCATION)
    }
}

/// 200, with the version that it is of.
#[derive(Debug)]
pub struct Tagged<T> {
    /// Which version.
    pub version: u64,
    /// What.
    pub body: T,
}

impl<T: Serialize + JsonSchema + Send + 'static> Answer for Tagged<T> {
    fn write(&self) -> Result<Written, serde_json::Error> {
        written(200, vec![("etag", tag(self.version))], &self.body)
    }

    fn forms(schemas: &mut Schemas) -> Vec<Form> {
        let headers = &[("ETag", "Its version, for `If-Match`")];
        form::<T>(schemas, 200, headers)
    }
}

/// 202: it goes on; ask at `location` in a moment.
#[derive(Debug)]
pub struct Accepted<T> {
    /// Where.
    pub location: String,
    /// What.
    pub body: T,
}

impl<T: Serialize + JsonSchema + Send + 'static> Answer for Accepted<T> {
    fn write(&self) -> Result<Written, serde_json::Error> {
        let headers = vec![
            ("location", self.location.clone()),
            ("retry-after", "2".to_owned()),
        ];
        written(202, headers, &self.body)
    }

    fn forms(schemas: &mut Schemas) -> Vec<Form> {
        let headers = &[
            ("Location", "Where to ask how it goes"),
            ("Retry-After", "When to ask, in seconds"),
        ];
        form::<T>(schemas, 202, headers)
    }
}

/// 204.
#[derive(Debug)]
pub struct NoContent;

impl Answer for NoContent {
    fn write(&self) -> Result<Written, serde_json::Error> {
        Ok(Written {
            status: 204,
            headers: Vec::new(),
            body: None,
        })
    }

    fn forms(_: &mut Schemas) -> Vec<Form> {
        vec![Form {
            status: 204,
            schema: None,
            headers: &[],
        }]
    }
}

/// 307 to a presigned address, which must not be cached.
#[derive(Debug)]
pub struct Redirect(pub String);

impl Answer for Redirect {
    fn write(&self) -> Result<Written, serde_json::Error> {
        Ok(Written {
            status: 307,
            headers: vec![("location", self.0.clone())],
            body: None,
        })
    }

    fn forms(_: &mut Schemas) -> Vec<Form> {
        vec![Form {
            status: 307,
            schema: None,
            headers: &[(
                "Location",
                "A presigned address at an object store, which takes `Range`",
            )],
        }]
    }
}

/// 200 with a JSON document that is the same for everybody, and for a while.
#[derive(Debug)]
pub struct Document(pub &'static str);

impl Answer for Document {
    fn write(&self) -> Result<Written, serde_json::Error> {
        Ok(Written {
            status: 200,
            headers: vec![("cache-control", "public, max-age=300".to_owned())],
            body: Some(self.0.to_owned()),
        })
    }

    fn forms(schemas: &mut Schemas) -> Vec<Form> {
        form::<Map<String, Value>>(schemas, 200, &[])
    }
}

/// One of two answers.
#[derive(Debug)]
pub enum Either<A, B> {
    /// The first that is declared.
    First(A),
    /// The second.
    Second(B),
}

impl<A: Answer, B: Answer> Answer for Either<A, B> {
    fn write(&self) -> Result<Written, serde_json::Error> {
        match self {
            Self::First(answer) => answer.write(),
            Self::Second(answer) => answer.write(),
        }
    }

    fn forms(schemas: &mut Schemas) -> Vec<Form> {
        let mut forms = A::forms(schemas);
        forms.extend(B::forms(schemas));
        forms
    }
}
