//! Percent-encoding, and what there is to read in OSS's XML.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use quick_xml::Reader;
use quick_xml::events::Event;

/// Everything but letters, digits and `-._~`: what RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// Slashes stay what they are.
const RESERVED_IN_PATHS: &AsciiSet = &RESERVED.remove(b'/');

pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

pub(super) fn encode_path(key: &str) -> String {
    utf8_percent_encode(key, RESERVED_IN_PATHS).to_string()
}

/// The texts of all elements of an XML document, in order, each with the path of names that leads to it, such as
/// `Error/Code`. `None` when it is no XML.
pub(super) fn texts(xml: &[u8]) -> Option<Vec<(String, String)>> {
    let xml = std::str::from_utf8(xml).ok()?;
    let mut reader = Reader::from_str(xml);
    let (mut path, mut texts) = (Vec::new(), Vec::new());
    let mut text = String::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                path.push(start.local_name().as_ref().to_owned());
                text.clear();
            }
            Event::Text(piece) => text.push_str(&piece),
            Event::CData(piece) => text.push_str(&piece),
            Event::GeneralRef(reference) => {
                let known = quick_xml::escape::resolve_predefined_entity(&reference).map(str::to_owned);
                let resolved = match reference.resolve_char_ref().ok()? {
                    Some(character) => character.to_string(),
                    None => known?,
                };
                text.push_str(&resolved);
            }
            Event::End(_) => {
                texts.push((path.join("/"), std::mem::take(&mut text)));
                path.pop()?;
            }
            Event::Eof => return path.is_empty().then_some(texts),
            _ => {}
        }
    }
}

/// The text of the first element at a path.
pub(super) fn text<'a>(texts: &'a [(String, String)], path: &str) -> Option<&'a str> {
    let found = texts.iter().find(|(at, _)| at == path);
    found.map(|(_, text)| text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_a_few_characters_are_encoded() {
        assert_eq!(encode("aZ09-._~"), "aZ09-._~");
        assert_eq!(encode("a b+c/é*'"), "a%20b%2Bc%2F%C3%A9%2A%27");
        assert_eq!(encode_path("a b/c+d//é"), "a%20b/c%2Bd//%C3%A9");
    }

    #[test]
    fn the_texts_of_a_document() {
        let xml =
            b"<?xml version=\"1.0\"?>\n<A><B>x&amp;y&#33;&quot;</B><C><B>z</B></C><B/><D></D><B>last</B></A>";
        let texts = texts(xml).unwrap();
        assert_eq!(text(&texts, "A/B"), Some("x&y!\""));
        assert_eq!(text(&texts, "A/C/B"), Some("z"));
        assert_eq!(text(&texts, "A/D"), Some(""));
        assert_eq!(texts.iter().filter(|(path, _)| path == "A/B").count(), 2);
        for bad in [&b"<A>"[..], b"<A></B>", b"<A>&unknown;</A>", b"\xff"] {
            assert!(super::texts(bad).is_none());
        }
    }
}
