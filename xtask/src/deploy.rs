//! Deployment to AWS: `sam build`, then `sam deploy` with whatever arguments were given.

use crate::sam::{self, Build};
use crate::{process, ui, workspace};
use anyhow::{Context, Result, bail};
use std::fs;

/// Builds for AWS and hands over to SAM, which asks for credentials, region and confirmation as it always does.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let infra = workspace::root().join("infra");
    let config = infra.join("samconfig.toml");
    let config = fs::read_to_string(&config).with_context(|| format!("cannot read {}", config.display()))?;
    let said = said_architecture(arguments, &config);
    if said.is_none()
        && arguments
            .iter()
            .any(|argument| matches!(argument.as_str(), "--guided" | "-g"))
    {
        bail!(
            "SAM would ask for the architecture after the functions are built for one. Say it: \
             --parameter-overrides Architecture=arm64 (or x86_64)"
        );
    }
    let architecture = said.unwrap_or("x86_64");
    // Where `sam deploy` looks.
    let folder = infra.join(".aws-sam/build");
    ui::step(
        &format!("Building the functions for AWS ({architecture})"),
        || {
            let overrides = [
                "--parameter-overrides".to_owned(),
                format!("Architecture={architecture}"),
            ];
            sam::build(Build::ForAws, &folder, &overrides)
        },
    )?;
    ui::step("sam deploy", || {
        process::run(sam::command()?.arg("deploy").args(arguments))
    })?;
    ui::line(
        "
The outputs above name the API (ApiUrl) and the secret of the replica targets (TargetsSecretId).
docs/deploying.md says how to fill that in.",
    );
    Ok(())
}

/// What SAM is going to deploy for, which is what must be built: as the arguments say, or else the environment in
/// samconfig.toml, where `--guided` keeps what it was told.
fn said_architecture(arguments: &[String], config: &str) -> Option<&'static str> {
    let environment = arguments
        .iter()
        .enumerate()
        .find_map(|(place, argument)| match argument.strip_prefix("--config-env") {
            Some("") => arguments.get(place + 1).map(String::as_str),
            Some(value) => value.strip_prefix('='),
            None => None,
        })
        .unwrap_or("default");
    let said = overrides(arguments.iter().map(String::as_str));
    // What is said for one command counts before what is said for all.
    let kept = |command: &str| overrides(section(config, &format!("[{environment}.{command}.parameters]")));
    said.or_else(|| kept("deploy")).or_else(|| kept("global"))
}

fn overrides<'a>(mut lines: impl Iterator<Item = &'a str>) -> Option<&'static str> {
    // SAM takes both ways of writing it.
    let forms = ["Architecture=", "ParameterKey=Architecture,ParameterValue="];
    let value = lines
        .find_map(|line| forms.iter().find_map(|form| line.split_once(form)))?
        .1;
    let value = value.trim_start_matches(['\\', '"', '\'']);
    Some(if value.starts_with("arm64") {
        "arm64"
    } else {
        "x86_64"
    })
}

/// The lines below a heading of a TOML file, without comments.
fn section<'a>(text: &'a str, heading: &str) -> impl Iterator<Item = &'a str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .skip_while(move |line| *line != heading)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"
[default.global.parameters]
stack_name = "longshore"

[staging.global.parameters]
# parameter_overrides = "Architecture=x86_64"
parameter_overrides = "Architecture=arm64"

[mixed.global.parameters]
parameter_overrides = "Architecture=arm64"

[mixed.deploy.parameters]
parameter_overrides = "ReplicaTargets=\"a\" Architecture=\"x86_64\""
"#;

    fn found(arguments: &str) -> Option<&'static str> {
        let arguments: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
        said_architecture(&arguments, CONFIG)
    }

    #[test]
    fn the_architecture_is_the_one_deployed_for() {
        assert_eq!(found(""), None);
        assert_eq!(
            found("--parameter-overrides ParameterKey=Architecture,ParameterValue=arm64"),
            Some("arm64")
        );
        assert_eq!(found("--config-env staging"), Some("arm64"));
        assert_eq!(found("--config-env=staging --guided"), Some("arm64"));
        assert_eq!(found("--config-env mixed"), Some("x86_64"));
        assert_eq!(
            found("--parameter-overrides ReplicaTargets=a Architecture=arm64"),
            Some("arm64")
        );
        assert_eq!(
            found("--config-env staging --parameter-overrides Architecture=x86_64"),
            Some("x86_64")
        );
    }
}
