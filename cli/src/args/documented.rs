//! `docs/cli.md` has the help text of each command. With `LONGSHORE_WRITE_DOCS=1` the test writes it.

use super::Arguments;
use clap::{Command, CommandFactory};
use std::fmt::Write as _;
use std::path::Path;

const INTRODUCTION: &str = "\
# The command line

The help text of each command, as `longshore help <command>` shows it; the options of the first one are options of all. This
file is generated from the program: change `cli/src/args.rs` or `cli/src/args/help.rs`, and write it with
`LONGSHORE_WRITE_DOCS=1 cargo test -p longshore`.
";

/// The commands with their full names, each before its subcommands.
fn commands() -> Vec<(String, Command)> {
    fn add(command: &Command, all: &mut Vec<(String, Command)>) {
        let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
        all.push((name, command.clone()));
        let subcommands = command.get_subcommands();
        for subcommand in subcommands.filter(|subcommand| subcommand.get_name() != "help") {
            add(subcommand, all);
        }
    }
    let mut root = Arguments::command().term_width(100);
    root.build();
    let mut all = Vec::new();
    add(&root, &mut all);
    all
}

/// The page.
fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    let commands = commands();
    page.push_str("\n| command | |\n|---|---|\n");
    for (name, command) in &commands {
        let about = command.get_about().unwrap_or_default();
        let anchor = name.replace(' ', "-");
        writeln!(page, "| [`{name}`](#{anchor}) | {about} |").unwrap();
    }
    for (name, command) in commands {
        let mut command = command.mut_args(|option| {
            let of_all = name != "longshore" && (option.is_global_set() || option.get_id() == "help");
            option.hide(of_all)
        });
        let help = command.render_long_help().to_string();
        let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
        write!(page, "\n## {name}\n\n```text\n{}\n```\n", lines.join("\n")).unwrap();
    }
    page
}

#[test]
fn the_page_has_the_help_of_each_command() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
    let page = page();
    if std::env::var_os("LONGSHORE_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let said = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        said == page,
        "docs/cli.md differs from the help texts: LONGSHORE_WRITE_DOCS=1 cargo test -p longshore"
    );
}

#[test]
fn each_command_has_an_example() {
    for (name, command) in commands() {
        let help = command
            .get_after_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        let shown = help.lines().any(|line| {
            line.starts_with("  ")
                && line.contains(&name)
                && (name != "longshore" || line.contains(" upload "))
        });
        assert!(
            help.contains("Example") && shown,
            "longshore help {name} has no example"
        );
    }
}
