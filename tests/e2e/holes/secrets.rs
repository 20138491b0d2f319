//! Secrets in what is published.

use super::sources;
use crate::harness::aws::function_environment;
use crate::harness::secrets::values;
use crate::harness::stack::{root, stack};

/// There, passwords and keys stood in the source.
#[tokio::test]
async fn hole_15_secrets_in_source() {
    let secrets = values().await;
    assert!(!secrets.is_empty());
    // What Longshore runs with is not in what its functions are given, but in the secrets that those name.
    for function in stack().functions.keys() {
        for (name, value) in function_environment(function).await {
            assert!(
                !secrets.iter().any(|secret| value.contains(secret)),
                "{function}: {name}"
            );
        }
    }
    let mut read = 0;
    for folder in ["cli", "crates", "docs", "functions", "infra", "xtask", ".github"] {
        sources(&root().join(folder), &mut |path, text| {
            read += 1;
            assert!(
                !secrets.iter().any(|secret| text.contains(secret)),
                "{}",
                path.display()
            );
            let keys = ["-----BEGIN PRIVATE", "-----BEGIN RSA", "-----BEGIN EC"];
            assert!(!keys.iter().any(|key| text.contains(key)), "{}", path.display());
            let looks_like_a_key = text.match_indices("AKIA").any(|(at, _)| {
                let id: String = text[at + 4..].chars().take(16).collect();
                // AWS's own documentation has this one in all its examples.
                id.len() == 16
                    && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
                    && !id.ends_with("EXAMPLE")
            });
            assert!(!looks_like_a_key, "{}", path.display());
        });
    }
    assert!(read > 100, "{read}");
}
