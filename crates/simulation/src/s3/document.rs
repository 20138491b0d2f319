//! Documents of XML, to and fro.

use super::refusal::Refusal;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The namespace of all answers but errors.
pub(crate) const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// A document with this root.
pub(crate) fn write(root: &str, content: &impl Serialize) -> Result<String, Refusal> {
    let text = quick_xml::se::to_string_with_root(root, content)
        .map_err(|error| Refusal::new(500, "InternalError", error.to_string()))?;
    Ok(format!("{DECLARATION}{text}"))
}

/// What a request says.
pub(crate) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    let text = std::str::from_utf8(body).map_err(|_| malformed())?;
    quick_xml::de::from_str(text).map_err(|_| malformed())
}

/// The document is not what it should be.
pub(crate) fn malformed() -> Refusal {
    let text = "The XML you provided was not well-formed or did not validate against our published schema";
    Refusal::new(400, "MalformedXML", text)
}
