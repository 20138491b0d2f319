//! Earlier contents of files.

use serde_json::Value;
use std::collections::BTreeSet;

/// Each version is one of a file that got another content since, and has a number of its own.
pub(super) fn check(nodes: &[Value], versions: &[Value], what: &str) {
    let mut numbers = BTreeSet::new();
    for version in versions {
        let node = nodes.iter().find(|node| node["id"] == version["node"]);
        let node = node.unwrap_or_else(|| panic!("{what}: a version of nothing: {version}"));
        let number = number(&version["file"]);
        assert!(
            number < self::number(&node["file"]),
            "{what}: {version} of {node}"
        );
        assert!(
            numbers.insert((version["node"].as_str().unwrap(), number)),
            "{what}: {version}"
        );
        let kept = version["file"]["kept"] == true;
        assert_ne!(version["due_at"].is_u64(), kept, "{what}: {version}");
    }
}

/// Each of these contents of files has one reference by which it is found.
pub(super) fn are_found<'a>(
    contents: impl Iterator<Item = (&'a Value, &'a Value)>,
    references: &[Value],
    what: &str,
) {
    let mut count = 0;
    for (node, content) in contents {
        count += 1;
        let finds = |reference: &&Value| {
            reference["node"] == *node
                && reference["number"] == number(content)
                && reference["blob"] == content["blob"]
                && reference["content_id"] == content["content_id"]
        };
        let found = references.iter().find(finds);
        assert!(found.is_some(), "{what}: not held: {content} of {node}");
    }
    assert_eq!(count, references.len(), "{what}: content references of nothing");
}

/// Which content of its file a content is.
fn number(content: &Value) -> u64 {
    content["number"].as_u64().unwrap_or(1)
}
