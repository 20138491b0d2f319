//! Roles: their credentials and their policies.

use super::protocols::{all_between, query};
use aws_credential_types::Credentials;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

/// The credentials that Lambda gives a function: those of its role, for as long as any test run lasts.
pub(crate) async fn credentials_of(role: &str) -> Credentials {
    let parameters = format!(
        "Action=AssumeRole&Version=2011-06-15&RoleSessionName=e2e&DurationSeconds=43200&RoleArn={role}"
    );
    let answer = query("sts", &parameters).await;
    let one = |name: &str| all_between(&answer, &format!("<{name}>"), &format!("</{name}>")).remove(0);
    Credentials::new(
        one("AccessKeyId"),
        one("SecretAccessKey"),
        Some(one("SessionToken")),
        None,
        "role",
    )
}

/// A call to IAM.
pub(crate) async fn iam_query(parameters: &str) -> String {
    query("iam", parameters).await
}

/// The policies that are written into a role.
pub(crate) async fn policies_of(role: &str) -> Vec<Value> {
    let about = format!("Version=2010-05-08&RoleName={}", role.rsplit('/').next().unwrap());
    let names = iam_query(&format!("Action=ListRolePolicies&{about}")).await;
    let mut policies = Vec::new();
    for name in all_between(&names, "<member>", "</member>") {
        let policy = iam_query(&format!("Action=GetRolePolicy&PolicyName={name}&{about}")).await;
        let document = all_between(&policy, "<PolicyDocument>", "</PolicyDocument>").remove(0);
        let document = percent_decode_str(&document).decode_utf8().unwrap();
        policies.push(serde_json::from_str(&document).unwrap());
    }
    policies
}

/// A text as a value in a form.
pub(crate) fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
