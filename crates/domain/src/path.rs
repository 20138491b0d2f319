//! Paths such as `photos/2026/a.jpg`.

use crate::name::{InvalidName, Name};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// The way from the top of an account's tree to a file or folder. The top itself has no names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Path {
    names: Vec<Name>,
}

/// A text that is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a path: {reason}")]
pub struct PathError {
    text: String,
    reason: InvalidName,
}

impl Path {
    /// The names on the way.
    #[must_use]
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    /// Whether it is the top of the tree.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.names.is_empty()
    }

    /// The last name; `None` for the top.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.names.last().map(Name::as_str)
    }

    /// The folder it is in; the top is in itself.
    #[must_use]
    pub fn parent(&self) -> Self {
        let names = self.names.split_last().map(|(_, rest)| rest.to_vec());
        Self {
            names: names.unwrap_or_default(),
        }
    }

    /// Whether it is the other path, or leads through it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.names.starts_with(&other.names)
    }

    /// The path of `name` in this folder.
    #[must_use]
    pub fn join(&self, name: &Name) -> Self {
        let mut names = self.names.clone();
        names.push(name.clone());
        Self { names }
    }
}

impl FromStr for Path {
    type Err = PathError;

    /// Reads names between slashes; slashes in front, behind or doubled mean nothing.
    fn from_str(text: &str) -> Result<Self, PathError> {
        let names = text
            .split('/')
            .filter(|name| !name.is_empty())
            .map(str::parse)
            .collect::<Result<_, _>>();
        names.map(|names| Self { names }).map_err(|reason| PathError {
            text: text.to_owned(),
            reason,
        })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.names.is_empty() {
            return f.write_str("/");
        }
        for (index, name) in self.names.iter().enumerate() {
            write!(f, "{}{name}", if index == 0 { "" } else { "/" })?;
        }
        Ok(())
    }
}

impl JsonSchema for Path {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Path".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(text: &str) -> Path {
        text.parse().unwrap()
    }

    #[test]
    fn slashes_around_and_doubled_mean_nothing() {
        for text in ["a/b c", "/a/b c", "a//b c/", "///a/b c"] {
            assert_eq!(path(text).to_string(), "a/b c");
        }
        assert!(path("").is_root() && path("/").is_root());
        assert_eq!(path("/").to_string(), "/");
    }

    #[test]
    fn parents_and_names() {
        assert_eq!(path("a/b").name(), Some("b"));
        assert_eq!(path("a/b").parent(), path("a"));
        assert_eq!(path("a").parent(), path("/"));
        assert_eq!((path("/").parent(), path("/").name()), (path("/"), None));
        for (inner, outer) in [("a/b", "a"), ("a", "a"), ("a", "/"), ("/", "/")] {
            assert!(path(inner).is_within(&path(outer)), "{inner} in {outer}");
        }
        for (inner, outer) in [("a", "a/b"), ("ab", "a"), ("b/a", "a"), ("/", "a")] {
            assert!(!path(inner).is_within(&path(outer)), "{inner} in {outer}");
        }
    }

    #[test]
    fn dots_and_control_characters_are_refused() {
        for text in ["..", "a/../b", "./a", "a\\b", "a\nb"] {
            assert!(text.parse::<Path>().is_err(), "{text:?}");
        }
        let error = "a/..".parse::<Path>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "'a/..' is not a path: '.' and '..' are not names"
        );
    }

    proptest! {
        #[test]
        fn a_path_reads_back_as_itself(text in "\\PC{0,60}") {
            if let Ok(parsed) = text.parse::<Path>() {
                prop_assert_eq!(&path(&parsed.to_string()), &parsed);
                let names: Vec<_> = text.split('/').filter(|name| !name.is_empty()).collect();
                // However its letters were composed.
                let last = names.last().map(|name| name.parse::<Name>().unwrap());
                prop_assert_eq!(parsed.name(), last.as_ref().map(Name::as_str));
            }
        }
    }
}
