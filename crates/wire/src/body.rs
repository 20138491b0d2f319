//! The body of a request.

use crate::Schemas;
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;

/// The body of a request: [`Json`](struct@Json), [`IfAny`], or `()` where there is none.
pub trait Body: 'static {
    /// What it is read into.
    type Value: DeserializeOwned + Send + 'static;
    /// Whether it is looked at.
    const IS_READ: bool = true;

    /// What stands for a body that is absent, if it may be.
    fn absent() -> Option<Self::Value>;

    /// How it looks.
    fn schema(schemas: &mut Schemas) -> Option<Schema>;
}

impl Body for () {
    type Value = ();
    const IS_READ: bool = false;

    fn absent() -> Option<()> {
        Some(())
    }

    fn schema(_: &mut Schemas) -> Option<Schema> {
        None
    }
}

/// JSON. Of a request: it has to be there. Of an answer: 200.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + JsonSchema + Send + 'static> Body for Json<T> {
    type Value = T;

    fn absent() -> Option<T> {
        None
    }

    fn schema(schemas: &mut Schemas) -> Option<Schema> {
        Some(schemas.request::<T>())
    }
}

/// JSON that may be absent.
#[derive(Debug)]
pub struct IfAny<T>(pub T);

impl<T: DeserializeOwned + Default + JsonSchema + Send + 'static> Body for IfAny<T> {
    type Value = T;

    fn absent() -> Option<T> {
        Some(T::default())
    }

    fn schema(schemas: &mut Schemas) -> Option<Schema> {
        Some(schemas.request::<T>())
    }
}
