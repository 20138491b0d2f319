//! `If-Match`: a request is about a version that the client has seen, and about no other.

use std::str::FromStr;

/// What the version may be (RFC 9110, section 13.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// Any, if there is one.
    Any,
    /// One of these. Weak tags are not among them: they never match here.
    OneOf(Vec<String>),
}

/// What the header should be.
const EXPECTED: &str = "\"*\", or entity tags as they were answered, in quotes";

impl FromStr for IfMatch {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        if text.trim() == "*" {
            return Ok(Self::Any);
        }
        let mut tags = Vec::new();
        for tag in text.split(',').map(str::trim) {
            let strong = tag.strip_prefix("W/").unwrap_or(tag);
            let inner = strong.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            let inner = inner.filter(|inner| !inner.contains('"')).ok_or(EXPECTED)?;
            if strong == tag {
                tags.push(inner.to_owned());
            }
        }
        Ok(Self::OneOf(tags))
    }
}

impl IfMatch {
    /// Whether this version is meant.
    #[must_use]
    pub fn matches(&self, version: u64) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(tags) => tags.iter().any(|tag| *tag == version.to_string()),
        }
    }
}

/// This version and no other.
impl From<u64> for IfMatch {
    fn from(version: u64) -> Self {
        Self::OneOf(vec![version.to_string()])
    }
}

/// The entity tag of a version.
#[must_use]
pub fn tag(version: u64) -> String {
    format!("\"{version}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_versions_that_are_named_match() {
        for (text, matching) in [
            ("*", &[1, 2, 3][..]),
            (&tag(2), &[2]),
            (r#""1", "3""#, &[1, 3]),
            (r#"W/"2""#, &[]),
            (r#"W/"2", "3""#, &[3]),
            (r#""""#, &[]),
            (r#""02""#, &[]),
        ] {
            let tags: IfMatch = text.parse().unwrap();
            let found: Vec<u64> = (1..=3).filter(|version| tags.matches(*version)).collect();
            assert_eq!(found, matching, "{text}");
        }
    }

    #[test]
    fn what_is_no_list_of_tags_is_refused() {
        for text in [
            "",
            "2",
            "\"2",
            "2\"",
            "\"",
            "\"1\",",
            "\"1\" \"2\"",
            "\"1\",*",
            "w/\"1\"",
        ] {
            assert_eq!(text.parse::<IfMatch>(), Err(EXPECTED), "{text}");
        }
    }
}
