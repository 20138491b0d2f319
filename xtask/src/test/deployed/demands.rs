//! What the end-to-end tests ask of a stack's parameters. They come from one address, make hundreds of accounts, and never
//! wait: what keeps strangers from that would fail them one by one, each in its own way.

use anyhow::{Result, bail};
use serde_json::Value;

/// Parameters that are numbers, and the least that they must be. What no emulator counts is asked of AWS only.
const AT_LEAST: [(&str, u64, OnEmulators); 6] = [
    ("AccountsPerHourAndSource", 1_000_000, OnEmulators::Too),
    ("SignInsPerHourAndSource", 1_000_000, OnEmulators::Too),
    ("PasswordThrottleBurst", 1000, OnEmulators::Not),
    ("PasswordThrottleRate", 1000, OnEmulators::Not),
    ("ThrottleBurst", 2000, OnEmulators::Not),
    ("ThrottleRate", 1000, OnEmulators::Not),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum OnEmulators {
    Too,
    Not,
}

/// Fails where the tests could not pass, with what to deploy.
pub(super) fn check(parameters: &Value, emulated: bool) -> Result<()> {
    let said = |name: &str| parameters[name].as_str();
    let mut wanted: Vec<String> = Vec::new();
    for (name, least, on_emulators) in AT_LEAST {
        let asked = !emulated || on_emulators == OnEmulators::Too;
        let is = said(name).and_then(|number| number.parse::<u64>().ok());
        if asked && is.is_some_and(|is| is < least) {
            wanted.push(format!("{name}={least}"));
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    bail!(
        "the tests cannot pass on a stack that limits who comes from one address. Deploy it for the tests, and as it was when \
         they are over:\n\n    cargo xtask deploy --parameter-overrides {} <all others as before>",
        wanted.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;
    use serde_json::json;
    use std::fs;

    #[test]
    fn a_stack_as_it_is_deployed_by_default_is_refused_with_what_it_takes() {
        let defaults = json!({
            "AccountsPerHourAndSource": "20", "SignInsPerHourAndSource": "600", "PasswordThrottleRate": "20",
            "PasswordThrottleBurst": "40", "ThrottleRate": "200", "ThrottleBurst": "400",
        });
        let on_aws = check(&defaults, false).unwrap_err().to_string();
        for wanted in [
            "AccountsPerHourAndSource=1000000 ",
            "SignInsPerHourAndSource=1000000 ",
            "PasswordThrottleBurst=1000 ",
            "PasswordThrottleRate=1000 ",
            "ThrottleBurst=2000 ",
            "ThrottleRate=1000 ",
        ] {
            assert!(on_aws.contains(&format!(" {wanted}")), "{wanted}: {on_aws}");
        }
        // Their gateways let everything through.
        let on_an_emulator = check(&defaults, true).unwrap_err().to_string();
        assert!(
            on_an_emulator.contains("AccountsPerHourAndSource="),
            "{on_an_emulator}"
        );
        assert!(!on_an_emulator.contains("Throttle"), "{on_an_emulator}");
    }

    #[test]
    fn a_stack_that_is_deployed_for_them_is_taken() {
        let parameters = json!({
            "AccountsPerHourAndSource": "1000000000", "SignInsPerHourAndSource": "1000000000",
            "PasswordThrottleRate": "10000", "PasswordThrottleBurst": "10000", "ThrottleRate": "1000",
            "ThrottleBurst": "2000",
        });
        check(&parameters, false).unwrap();
        // Of an older release.
        check(&json!({}), false).unwrap();
    }

    #[test]
    fn what_is_asked_for_can_be_set() {
        let template = fs::read_to_string(workspace::root().join("infra/template.yaml")).unwrap();
        for (name, _, _) in AT_LEAST {
            assert!(template.contains(&format!("\n  {name}:\n")), "{name}");
        }
    }
}
