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
    pub(crate) is_needed: bool,
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
            is_needed: false,
        }
    }

    /// One that has to be there.
    pub fn needed<T: JsonSchema>(schemas: &mut Schemas, name: &'static str, meaning: &'static str) -> Self {
        Self {
            name,
            meaning,
            schema: schemas.request::<T>().to_value(),
            is_needed: true,
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

    /// What is wrong when one is not there that is needed.
    fn missing(name: &str) -> Self::Error;

    /// A parameter that is needed.
    ///
    /// # Errors
    /// When it is not there, or is not what it should be.
    fn need<T: FromStr<Err: Display>>(&self, name: &str) -> Result<T, Self::Error> {
        self.get(name)?.ok_or_else(|| Self::missing(name))
    }
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

/// The parameters that an endpoint takes: `name: Type = "what it means"`. Each may be absent, but those with a `!` before them.
macro_rules! query {
    ($(#[$doc:meta])* $name:ident {
        $(! $need:ident: $need_type:ty = $need_meaning:literal,)* $($field:ident: $type:ty = $meaning:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name {
            $(#[doc = $need_meaning] pub $need: $need_type,)*
            $(#[doc = $meaning] pub $field: Option<$type>,)*
        }

        impl crate::query::Query for $name {
            fn read<S: crate::query::Source>(source: &S) -> Result<Self, S::Error> {
                Ok(Self {
                    $($need: source.need(stringify!($need))?,)*
                    $($field: source.get(stringify!($field))?,)*
                })
            }

            fn parameters(schemas: &mut crate::Schemas) -> Vec<crate::query::Parameter> {
                vec![
                    $(crate::query::Parameter::needed::<$need_type>(schemas, stringify!($need), $need_meaning),)*
                    $(crate::query::Parameter::new::<$type>(schemas, stringify!($field), $meaning),)*
                ]
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

/// How many items a page has at most, and how many if nobody says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit<const DEFAULT: u32 = 50, const MOST: u32 = 100>(u32);

impl<const DEFAULT: u32, const MOST: u32> Limit<DEFAULT, MOST> {
    /// The number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

impl<const DEFAULT: u32, const MOST: u32> Default for Limit<DEFAULT, MOST> {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

/// A number of items that a page cannot have.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidLimit {
    most: u32,
}

impl Display for InvalidLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from 1 to {}", self.most)
    }
}

impl<const DEFAULT: u32, const MOST: u32> FromStr for Limit<DEFAULT, MOST> {
    type Err = InvalidLimit;

    fn from_str(text: &str) -> Result<Self, InvalidLimit> {
        match text.parse() {
            Ok(limit) if (1..=MOST).contains(&limit) => Ok(Self(limit)),
            _ => Err(InvalidLimit { most: MOST }),
        }
    }
}

impl<const DEFAULT: u32, const MOST: u32> JsonSchema for Limit<DEFAULT, MOST> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT })
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
            ("0", Err(InvalidLimit { most: 100 })),
            ("101", Err(InvalidLimit { most: 100 })),
            ("-1", Err(InvalidLimit { most: 100 })),
            ("many", Err(InvalidLimit { most: 100 })),
        ] {
            assert_eq!(text.parse::<Limit>().map(Limit::get), limit, "{text}");
        }
        assert_eq!("1000".parse::<Limit<100, 1000>>().map(Limit::get), Ok(1000));
        let refused = "1001".parse::<Limit<100, 1000>>().unwrap_err();
        assert_eq!(refused.to_string(), "from 1 to 1000");
    }
}
