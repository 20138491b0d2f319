//! Deployment to AWS: `sam build`, then `sam deploy` with whatever arguments were given, then a look at what the account may
//! have, and at the replica targets that are configured there.

mod quotas;

use crate::sam::{self, Build};
use crate::targets::StackRef;
use crate::{invite, process, ui, workspace};
use anyhow::{Context, Result, bail};
use domain::targets::Config;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// What functions say of a table that they do not understand.
const OTHER_FORMAT: &str = "the table is in another format: ";
/// What they say besides of one that nobody has written into.
const NO_VERSION: &str = "it has no version";

/// Builds for AWS and hands over to SAM, which asks for credentials, region and confirmation as it always does.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let infra = workspace::root().join("infra");
    let config = infra.join("samconfig.toml");
    let said = said_architecture(arguments, &read(&config)?);
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
    // Read again: `--guided` keeps there what it was told.
    let place = deployed(arguments, &read(&config)?)?;
    check_format(&place)?;
    quotas::check(&place);
    check_targets(&place)
}

fn read(config: &Path) -> Result<String> {
    fs::read_to_string(config).with_context(|| format!("cannot read {}", config.display()))
}

/// The stack of an environment of samconfig.toml.
pub(crate) fn stack_of(environment: &str) -> Result<String> {
    let config = read(&workspace::root().join("infra/samconfig.toml"))?;
    let said = said_option(
        &["--config-env".to_owned(), environment.to_owned()],
        &config,
        "stack-name",
    );
    said.with_context(|| format!("samconfig.toml does not say which stack {environment} is"))
}

/// The stack that was deployed.
fn deployed(arguments: &[String], config: &str) -> Result<StackRef> {
    let option = |name: &str| said_option(arguments, config, name);
    let stack = option("stack-name")
        .context("it is not said which stack was deployed, so its targets and quotas are not checked")?;
    let told = [("AWS_DEFAULT_REGION", "region"), ("AWS_PROFILE", "profile")];
    let told = told
        .into_iter()
        .filter_map(|(variable, name)| Some((variable, option(name)?)));
    Ok(StackRef::on_aws(&stack, told.collect()))
}

/// Whether the functions that were deployed understand the table. A new one gets its format from the sweep, which runs each
/// minute.
pub(crate) fn check_format(place: &StackRef) -> Result<()> {
    const NEW: Duration = Duration::from_mins(3);
    let until = Instant::now() + NEW;
    let asked = ui::step("Waiting until the functions understand the table", || {
        loop {
            match invite::check(place) {
                Err(error) if format!("{error:#}").contains(NO_VERSION) && Instant::now() < until => {
                    thread::sleep(Duration::from_secs(5));
                }
                answer => return Ok(answer),
            }
        }
    })?;
    match asked {
        Err(error) if format!("{error:#}").contains(OTHER_FORMAT) => {
            Err(error.context("the stack is deployed, but its functions refuse every request"))
        }
        // Whoever may deploy need not be one who may invite.
        Err(error) => {
            ui::line(&format!(
                "!!! Whether the functions understand the table is not known: {error:#}"
            ));
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Whether the functions that were deployed can use the targets that are in the stack's secret.
fn check_targets(place: &StackRef) -> Result<()> {
    let stack = place.name();
    let targets = ui::step("Checking the replica targets", || {
        let document = place.document().context("the targets secret was not checked")?;
        let config = Config::parse(&document).with_context(|| {
            format!("the stack is deployed, but nothing is replicated; mend it: cargo xtask targets set <file> --stack {stack}")
        })?;
        Ok(config.targets.len())
    })?;
    ui::line(&match targets {
        0 => format!(
            "\nThe output ApiUrl above names the API. Nothing is replicated yet; docs/targets.md says how to name targets:\n\n    \
             cargo xtask targets set <file> --stack {stack}"
        ),
        some => format!("\nThe output ApiUrl above names the API. Files are replicated to {some} targets."),
    });
    Ok(())
}

/// What is said to SAM: in an argument, or in samconfig.toml for `deploy`, or there for all commands.
fn said_option(arguments: &[String], config: &str, name: &str) -> Option<String> {
    let key = name.replace('-', "_");
    let environment = environment(arguments);
    let kept = |command: &str| {
        section(config, &format!("[{environment}.{command}.parameters]")).find_map(|line| {
            let (left, right) = line.split_once('=')?;
            let value = right.trim().strip_prefix('"')?;
            (left.trim() == key).then(|| value.split('"').next().unwrap_or_default().to_owned())
        })
    };
    let said = argument(arguments, &format!("--{name}")).map(str::to_owned);
    said.or_else(|| kept("deploy")).or_else(|| kept("global"))
}

fn environment(arguments: &[String]) -> &str {
    argument(arguments, "--config-env").unwrap_or("default")
}

/// The value of `--name value` or `--name=value`.
fn argument<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let mut places = arguments.iter().enumerate();
    places.find_map(|(place, argument)| match argument.strip_prefix(name)? {
        "" => arguments.get(place + 1).map(String::as_str),
        value => value.strip_prefix('='),
    })
}

/// What SAM is going to deploy for, which is what must be built: as the arguments say, or else the environment in
/// samconfig.toml, where `--guided` keeps what it was told.
fn said_architecture(arguments: &[String], config: &str) -> Option<&'static str> {
    let environment = environment(arguments);
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
stack_name = "mixed"
parameter_overrides = "MaxReceives=\"9\" Architecture=\"x86_64\""
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
            found("--parameter-overrides MaxReceives=9 Architecture=arm64"),
            Some("arm64")
        );
        assert_eq!(
            found("--config-env staging --parameter-overrides Architecture=x86_64"),
            Some("x86_64")
        );
    }

    #[test]
    fn the_targets_are_those_of_the_stack_deployed() {
        let found = |arguments: &str, name: &str| {
            let arguments: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
            said_option(&arguments, CONFIG, name)
        };
        assert_eq!(found("", "stack-name").as_deref(), Some("longshore"));
        assert_eq!(
            found("--config-env mixed", "stack-name").as_deref(),
            Some("mixed")
        );
        assert_eq!(found("--config-env staging", "stack-name"), None);
        for arguments in ["--config-env mixed --stack-name mine", "--stack-name=mine"] {
            assert_eq!(found(arguments, "stack-name").as_deref(), Some("mine"));
        }
        assert_eq!(
            found("--region eu-central-1", "region").as_deref(),
            Some("eu-central-1")
        );
        assert_eq!(found("--region-of-another=x", "region"), None);
    }
}
