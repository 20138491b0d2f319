//! The document about all of this.

use crate::answer::Document;
use crate::declaration::Declaration;

/// The endpoints, in the order in which documents have them.
pub(crate) const ENDPOINTS: &[Declaration] = &[Declaration::of::<Get>()];

endpoint! {
    /// This document
    Get: "openapi-get", GET "/v1/openapi.json", getOpenApi;
    caller: Anybody,
    answer: Document = "The document",
    problems: [],
}
