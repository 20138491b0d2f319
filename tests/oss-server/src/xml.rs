//! Writing and reading the little XML that there is.

use crate::encoding::encode;
use crate::refusal::Refusal;
use crate::request::Head;
use quick_xml::se::{QuoteLevel, Serializer};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Text as it may stand in XML.
pub(crate) fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// How names of keys are written: as they are, or percent-encoded, as the client asked. XML cannot hold every character.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names {
    encoded: bool,
}

impl Names {
    pub(crate) fn asked_for(head: &Head) -> Self {
        Self {
            encoded: head.query("encoding-type") == Some("url"),
        }
    }

    /// What documents say of it.
    pub(crate) fn encoding_type(self) -> Option<&'static str> {
        self.encoded.then_some("url")
    }

    /// A key, or something that is like one.
    pub(crate) fn write(self, key: &str) -> String {
        if self.encoded {
            encode(key.as_bytes())
        } else {
            key.to_owned()
        }
    }
}

/// A document. Its outermost element has the name of its type.
pub(crate) fn write(document: &impl Serialize) -> Result<String, Refusal> {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let mut serializer = Serializer::new(&mut text);
    serializer.expand_empty_elements(true);
    serializer.set_quote_level(QuoteLevel::Full);
    let written = document.serialize(serializer);
    written.map_err(|error| Refusal::internal(error.to_string()))?;
    Ok(text)
}

/// What a client has sent. The outermost element has to be a variant of it.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let text = std::str::from_utf8(body).ok();
    let read = text.and_then(|text| quick_xml::de::from_str(text).ok());
    read.ok_or_else(|| {
        Refusal::bad_request(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
    enum Document {
        Delete {
            #[serde(rename = "Object")]
            objects: Vec<Object>,
        },
    }

    #[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Object {
        key: String,
    }

    #[test]
    fn what_is_written_can_be_read() {
        let keys = [" a<b>&\"c\" ü\n", "", "b"];
        let object = |key: &str| Object { key: key.to_owned() };
        let document = Document::Delete {
            objects: keys.map(object).into(),
        };
        let text = write(&document).unwrap();
        assert_eq!(read::<Document>(text.as_bytes()).unwrap(), document);
        assert!(text.contains("<Key></Key>"), "{text}");
    }

    #[test]
    fn what_is_no_xml_is_refused() {
        for bad in [
            "",
            "<Delete>",
            "<Other/>",
            "<Other></Other>",
            "{}",
            "<Delete><a></Delete>",
        ] {
            let refusal = read::<Document>(bad.as_bytes()).unwrap_err();
            assert_eq!(refusal.code, "MalformedXML", "{bad}");
        }
    }
}
