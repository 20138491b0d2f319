//! What must not be in any log: tokens, passwords and their hashes, signatures and keys.

use super::aws::{function_environment, secret};
use super::person::PASSWORD;
use super::stack::stack;
use tokio::sync::OnceCell;

/// How what nobody may read begins, in front of more of it.
const BEGINNINGS: [(&str, &str); 12] = [
    ("a refresh token", "lsr_"),
    ("a personal access token", "lsp_"),
    ("the code of an invitation", "lsi_"),
    ("an access token", "eyJ"),
    ("a bearer's token", "Bearer "),
    ("the hash of a password", "$argon2"),
    ("a presigned address", "X-Amz-Signature="),
    ("a session's token", "X-Amz-Security-Token="),
    ("a signed request to AWS", "AWS4-HMAC-SHA256"),
    ("a presigned address of OSS", "x-oss-signature="),
    ("a signed request to OSS", "OSS4-HMAC-SHA256"),
    ("a private key", "PRIVATE KEY-----"),
];

/// Passwords of the tests.
const PASSWORDS: [&str; 4] = [
    PASSWORD,
    "a wrong guess",
    "another good one",
    "staple correct horse",
];

/// The values of the stack's own secrets: what signs tokens, and the targets' keys. They are asked for once.
pub(crate) async fn values() -> &'static [String] {
    static VALUES: OnceCell<Vec<String>> = OnceCell::const_new();
    let values = VALUES.get_or_init(async || {
        let environment = function_environment("session-create").await;
        let signing = environment.iter().find(|(name, _)| name == "SIGNING_SECRET_ID");
        let signing = secret(&signing.unwrap().1).await;
        let targets = secret(&stack().targets_secret_id).await;
        let keys = targets["targets"].as_array().unwrap().iter();
        let mut values: Vec<String> = keys
            .filter_map(|target| target["secret_access_key"].as_str().map(str::to_owned))
            .collect();
        values.push(signing["current"].as_str().unwrap().to_owned());
        // A local target has the emulator's own key, which is a word that all logs are full of.
        values.retain(|value| value.len() >= 16);
        values
    });
    values.await
}

/// What is in a text and must not be: of what kind it is, and the line.
pub(crate) fn secrets_in<'a>(text: &'a str, others: &[String]) -> Vec<(&'static str, &'a str)> {
    let kind_of = |line: &str| {
        let begins = |beginning: &&(&'static str, &str)| {
            // The word alone is none: prose may say what a "Bearer" is.
            line.match_indices(beginning.1).any(|(at, word)| {
                let rest = line[at + word.len()..].trim_start();
                let more = rest.chars().take_while(|c| c.is_ascii_graphic() && *c != '"');
                word.ends_with(['=', '-']) || more.count() >= 8
            })
        };
        if let Some((kind, _)) = BEGINNINGS.iter().find(begins) {
            return Some(*kind);
        }
        if PASSWORDS.iter().any(|password| line.contains(password)) {
            return Some("a password");
        }
        let other = others.iter().any(|other| line.contains(other.as_str()));
        other.then_some("a secret's value")
    };
    text.lines()
        .filter_map(|line| Some((kind_of(line)?, line)))
        .collect()
}

#[test]
fn every_kind_of_secret_is_found() {
    for (kind, line) in [
        ("a refresh token", r#"{"token":"lsr_acc1.s1.BwcHBwcHBwc"}"#),
        ("a personal access token", "lsp_acc1.t1.BwcHBwcHBwcHB"),
        ("the code of an invitation", "code lsi_014d2pf2dbsqqg28t5cy4tqkff"),
        ("an access token", "x eyJ0eXAiOiJKV1QiLCJhbGci.eyJz.x"),
        ("a bearer's token", "authorization: Bearer abcdefgh12"),
        ("the hash of a password", "$argon2id$v=19$m=19456,t=2,p=1$x"),
        ("a presigned address", "http://h/b/k?X-Amz-Signature=0a"),
        ("a session's token", "?X-Amz-Security-Token=x"),
        ("a signed request to AWS", "AWS4-HMAC-SHA256 Credential=AKIA/2026"),
        ("a presigned address of OSS", "?x-oss-signature=9"),
        ("a signed request to OSS", "OSS4-HMAC-SHA256 Credential=x/2026"),
        ("a private key", "-----BEGIN RSA PRIVATE KEY-----"),
        ("a password", r#"{"password":"correct horse battery"}"#),
        ("a secret's value", "key=sesame-open"),
    ] {
        let found = secrets_in(line, &["sesame-open".to_owned()]);
        assert_eq!(found, [(kind, line)]);
    }
    let harmless = r#"{"message":"request refused","code":"unauthorized","status":401,"account":"acc1","kid":"85891c1b84f64d2f"}"#;
    assert!(secrets_in(harmless, &[]).is_empty());
}
