//! The `Content-Disposition` header of a download (RFC 6266).

use domain::name::Name;
use std::fmt::Write as _;

/// Makes browsers save the file under its name, and never show it: it is somebody's bytes on our address.
/// Old clients get an ASCII form, all others the name itself (RFC 8187).
pub(super) fn attachment(name: &Name) -> String {
    let plain = |c: char| {
        if c.is_ascii_graphic() && !"\"\\%;".contains(c) || c == ' ' {
            c
        } else {
            '_'
        }
    };
    let ascii: String = name.as_str().chars().map(plain).collect();
    let mut encoded = String::new();
    for byte in name.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_the_header() {
        let header = |text: &str| attachment(&text.parse().unwrap());
        assert_eq!(
            header("a b.txt"),
            "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt"
        );
        assert_eq!(
            header("\u{e4}\";x"),
            "attachment; filename=\"___x\"; filename*=UTF-8''%C3%A4%22%3Bx"
        );
    }
}
