//! Deployment to AWS: an optimised build, then `sam deploy` with whatever arguments were given.

use crate::{build, process, ui, venv, workspace};
use anyhow::Result;
use std::fs;
use std::process::Command;

/// Builds for AWS and hands over to SAM, which asks for credentials, region and confirmation as it always does.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let venv = venv::embedded()?;
    let deployment = venv::deployment()?;
    let config = workspace::root().join("infra/samconfig.toml");
    let architecture = architecture(arguments, &fs::read_to_string(&config)?);
    build::functions_for_aws(&venv, &deployment, architecture)?;
    ui::step("sam deploy", || {
        let mut sam = Command::new(deployment.program("sam"));
        sam.arg("deploy")
            .arg("--template-file")
            .arg(workspace::root().join("infra/template.yaml"))
            .arg("--config-file")
            .arg(&config)
            .args(arguments)
            .current_dir(workspace::root())
            .env("SAM_CLI_TELEMETRY", "0");
        process::run(&mut sam)
    })?;
    ui::line(
        "
The outputs above name the API (ApiUrl) and the secret of the replica targets (TargetsSecretId).
README.md says in its part on AWS how to fill that in.",
    );
    Ok(())
}

/// What SAM is going to deploy for, which is what must be built: as the arguments say, or else the configuration, where
/// `--guided` keeps what it was told.
fn architecture(arguments: &[String], config: &str) -> &'static str {
    const NAME: &str = "Architecture=";
    let config = config.lines().filter(|line| !line.trim_start().starts_with('#'));
    let said = arguments
        .iter()
        .map(String::as_str)
        .chain(config)
        .find_map(|text| text.split_once(NAME));
    match said {
        Some((_, value)) if value.trim_start_matches(['\\', '"']).starts_with("arm64") => "arm64",
        _ => "x86_64",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_architecture_is_the_one_deployed_for() {
        let given = [
            "--parameter-overrides".to_owned(),
            "ReplicaTargets=a Architecture=arm64".to_owned(),
        ];
        let kept = r#"parameter_overrides = "ReplicaTargets=\"a\" Architecture=\"arm64\"""#;
        assert_eq!(architecture(&given, ""), "arm64");
        assert_eq!(architecture(&[], kept), "arm64");
        assert_eq!(architecture(&[], &format!("# {kept}")), "x86_64");
        assert_eq!(architecture(&["Architecture=x86_64".to_owned()], kept), "x86_64");
    }
}
