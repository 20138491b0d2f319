//! Percent-encoding as OSS has it: everything but letters, digits and `-_.~`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
const RESERVED_IN_PATHS: &AsciiSet = &RESERVED.remove(b'/');

/// Encodes all but the unreserved characters.
pub(crate) fn encode(text: &[u8]) -> String {
    percent_encode(text, RESERVED).to_string()
}

/// The same, with slashes left as they are: for paths.
pub(crate) fn encode_path(text: &[u8]) -> String {
    percent_encode(text, RESERVED_IN_PATHS).to_string()
}

/// Decodes a path. A `%` that is not followed by two hexadecimal digits is none that was encoded.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let decoded: Vec<u8> = percent_decode_str(text).collect();
    // The crate leaves such a one as it is; each of the others is three bytes that became one.
    let marks = text.bytes().filter(|byte| *byte == b'%').count();
    (decoded.len() + 2 * marks == text.len()).then_some(decoded)
}

/// Decodes a name or value of a query, where clients may write a space as `+`.
pub(crate) fn decode_query(text: &str) -> Option<Vec<u8>> {
    decode(&text.replace('+', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&all)).unwrap(), all);
        assert_eq!(decode(&encode_path(&all)).unwrap(), all);
        assert_eq!(encode("a/b c+ü~".as_bytes()), "a%2Fb%20c%2B%C3%BC~");
        assert_eq!(encode_path("a/b c+ü~".as_bytes()), "a/b%20c%2B%C3%BC~");
        assert_eq!(decode_query("a+b%2B").unwrap(), b"a b+");
        for bad in ["%zz", "%2", "%%41", "%", "a%20%+1"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
