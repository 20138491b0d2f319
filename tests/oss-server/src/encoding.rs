//! Percent-encoding as OSS has it: everything but letters, digits and `-_.~`.

/// Encodes all but the unreserved characters.
pub(crate) fn encode(text: &[u8]) -> String {
    encode_but(text, &[])
}

/// The same, with slashes left as they are: for paths.
pub(crate) fn encode_path(text: &[u8]) -> String {
    encode_but(text, b"/")
}

fn encode_but(text: &[u8], kept: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(byte) || kept.contains(byte) {
            encoded.push(char::from(*byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(DIGITS[usize::from(byte >> 4)]));
            encoded.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    encoded
}

/// Decodes a path. A `%` that is not followed by two hexadecimal digits is none that was encoded.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let pair = [bytes.next()?, bytes.next()?];
        decoded.push(digit(pair[0])? << 4 | digit(pair[1])?);
    }
    Some(decoded)
}

/// Decodes a name or value of a query, where clients may write a space as `+`.
pub(crate) fn decode_query(text: &str) -> Option<Vec<u8>> {
    decode(&text.replace('+', " "))
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
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
        assert_eq!(decode("%zz"), None);
        assert_eq!(decode("%2"), None);
    }
}
