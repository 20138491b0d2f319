//! The parameters of a query string.

use crate::Schemas;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt::{self, Display};
use std::str::FromStr;

/// A parameter, as the OpenAPI document has it.
pub struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) schema: Value,
}

impl Parameter {
    /// A parameter of this type. One that is there without a value is as good as none: forms send those.
    pub fn new<T: JsonSchema>(schemas: &mut Schemas, name: &'static str, meaning: &'static str) -> Self {
        let schema = schemas.request::<T>().to_value();
        let takes_any = schema == json!({ "type": "string" });
        Self {
            name,
            meaning,
            schema: if takes_any {
                schema
            } else {
                json!({ "anyOf": [schema, { "const": "" }] })
            },
        }
    }
}

/// Where parameters are read from.
pub trait Source {
    /// Why one cannot be read.
    type Error;

    /// A parameter, if it is there.
    ///
    /// # Errors
    /// When it is not what it should be.
    fn get<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, Self::Error>;
}

/// The parameters of a query string, made by `query!`; `()` where there are none.
pub trait Query: Sized + Send + Sync + 'static {
    /// Reads them.
    ///
    /// # Errors
    /// When one is not what it should be.
    fn read<S: Source>(source: &S) -> Result<Self, S::Error>;

    /// How they look.
    fn parameters(schemas: &mut Schemas) -> Vec<Parameter>;
}

impl Query for () {
    fn read<S: Source>(_: &S) -> Result<Self, S::Error> {
        Ok(())
    }

    fn parameters(_: &mut Schemas) -> Vec<Parameter> {
        Vec::new()
    }
}

/// The parameters that an endpoint takes: `name: Type = "what it means"`. Each may be absent.
macro_rules! query {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty = $meaning:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub struct $name {
            $(#[doc = $meaning] pub $field: Option<$type>,)*
        }

        impl crate::query::Query for $name {
            fn read<S: crate::query::Source>(source: &S) -> Result<Self, S::Error> {
                Ok(Self { $($field: source.get(stringify!($field))?,)* })
            }

            fn parameters(schemas: &mut crate::Schemas) -> Vec<crate::query::Parameter> {
                vec![$(crate::query::Parameter::new::<$type>(schemas, stringify!($field), $meaning),)*]
            }
        }
    };
}

/// Where a page begins: `next_cursor` of the page before. What is in it is for the endpoint to know.
#[derive(Debug, Clone)]
pub struct Cursor(String);

impl Cursor {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Cursor {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl JsonSchema for Cursor {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Cursor".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// How many items a page has at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(u32);

impl Limit {
    const MOST: u32 = 100;

    /// The number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

/// A number of items that a page cannot have.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidLimit;

impl Display for InvalidLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from 1 to {}", Limit::MOST)
    }
}

impl FromStr for Limit {
    type Err = InvalidLimit;

    fn from_str(text: &str) -> Result<Self, InvalidLimit> {
        let limit = text.parse().map_err(|_| InvalidLimit)?;
        (1..=Self::MOST)
            .contains(&limit)
            .then_some(Self(limit))
            .ok_or(InvalidLimit)
    }
}

impl JsonSchema for Limit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": Self::MOST, "default": Self::default().0 })
    }
}

query! {
    /// Which page of a list is wanted.
    Paged {
        cursor: Cursor = "`next_cursor` of the page before",
        limit: Limit = "How many items the page has at most",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_from_1_to_100_items() {
        for (text, limit) in [
            ("1", Ok(1)),
            ("100", Ok(100)),
            ("0", Err(InvalidLimit)),
            ("101", Err(InvalidLimit)),
        ] {
            assert_eq!(text.parse::<Limit>().map(Limit::get), limit);
        }
        assert_eq!("-1".parse::<Limit>(), Err(InvalidLimit));
        assert_eq!("many".parse::<Limit>(), Err(InvalidLimit));
    }
}
