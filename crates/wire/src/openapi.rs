//! The document about all of this.

use crate::answer::Document;

endpoint! {
    /// This document
    Get: "openapi-get", GET "/v1/openapi.json", getOpenApi;
    caller: Anybody,
    answer: Document = "The document",
    problems: [],
}
