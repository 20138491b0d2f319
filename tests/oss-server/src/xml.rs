//! Writing and reading the little XML that there is.

use crate::encoding::encode;
use crate::refusal::Refusal;
use quick_xml::Reader;
use quick_xml::events::Event;

/// Text as it may stand in XML.
pub(crate) fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// An XML document that is being written.
pub(crate) struct Document {
    text: String,
    root: &'static str,
    /// Whether names of keys are percent-encoded, as the client asked: XML cannot hold every character.
    encoded: bool,
}

impl Document {
    pub(crate) fn new(root: &'static str, encoded: bool) -> Self {
        let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root}>");
        let mut document = Self { text, root, encoded };
        if encoded {
            document.element("EncodingType", "url");
        }
        document
    }

    pub(crate) fn element(&mut self, name: &str, value: &str) {
        self.open(name);
        self.text.push_str(&escape(value));
        self.close(name);
    }

    pub(crate) fn number(&mut self, name: &str, value: impl ToString + Copy) {
        self.element(name, &value.to_string());
    }

    /// An element with a key, or something that is like one.
    pub(crate) fn key(&mut self, name: &str, value: &str) {
        if self.encoded {
            self.element(name, &encode(value.as_bytes()));
        } else {
            self.element(name, value);
        }
    }

    pub(crate) fn open(&mut self, name: &str) {
        self.text.push('<');
        self.text.push_str(name);
        self.text.push('>');
    }

    pub(crate) fn close(&mut self, name: &str) {
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }

    pub(crate) fn finish(mut self) -> String {
        self.close(self.root);
        self.text
    }
}

/// The text of each innermost element, with its name and that of the element around it.
pub(crate) fn leaves(body: &[u8], root: &str) -> Result<Vec<Leaf>, Refusal> {
    let malformed = || {
        Refusal::bad_request(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema.",
        )
    };
    let text = std::str::from_utf8(body).map_err(|_| malformed())?;
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut leaves = Vec::new();
    let mut content = String::new();
    let mut seen_root = false;
    loop {
        match reader.read_event().map_err(|_| malformed())? {
            Event::Start(start) => {
                let name = start.local_name().as_ref().to_owned();
                if path.is_empty() {
                    if seen_root || name != root {
                        return Err(malformed());
                    }
                    seen_root = true;
                }
                path.push(name);
                content.clear();
            }
            Event::Text(part) => content.push_str(&part),
            Event::CData(part) => content.push_str(&part),
            Event::GeneralRef(part) => content.push_str(&resolve(&part).ok_or_else(malformed)?),
            Event::End(_) => {
                let name = path.pop().ok_or_else(malformed)?;
                let parent = path.last().cloned().unwrap_or_default();
                leaves.push(Leaf {
                    parent,
                    name,
                    text: std::mem::take(&mut content),
                });
            }
            Event::Eof if path.is_empty() && seen_root => return Ok(leaves),
            Event::Eof => return Err(malformed()),
            _ => {}
        }
    }
}

/// `&amp;`, `&#10;` and the like.
fn resolve(reference: &quick_xml::events::BytesRef<'_>) -> Option<String> {
    if let Some(character) = reference.resolve_char_ref().ok()? {
        return Some(character.to_string());
    }
    quick_xml::escape::resolve_predefined_entity(reference).map(str::to_owned)
}

/// An element that ended, with the text since the last tag.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let mut document = Document::new("Delete", false);
        document.open("Object");
        document.key("Key", "a<b>&\"c\" ü\n");
        document.close("Object");
        let leaves = leaves(document.finish().as_bytes(), "Delete").unwrap();
        let key = leaves.iter().find(|leaf| leaf.name == "Key").unwrap();
        assert_eq!(key.text, "a<b>&\"c\" ü\n");
        assert_eq!(key.parent, "Object");
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
            let refusal = leaves(bad.as_bytes(), "Delete").unwrap_err();
            assert_eq!(refusal.code, "MalformedXML", "{bad}");
        }
    }
}
