use super::*;
use crate::targets::Set;
use clap::CommandFactory;
use clap::error::{Error, ErrorKind};

fn parsed(line: &str) -> Result<Invocation, Error> {
    Invocation::try_parse_from(std::iter::once("xtask").chain(line.split_whitespace()))
}

fn command(line: &str) -> Command {
    parsed(line).unwrap().command
}

#[test]
fn the_command_line_has_no_contradiction() {
    Invocation::command().debug_assert();
}

#[test]
fn up_takes_its_choices() {
    let choice = |line| match command(line) {
        Command::Up(up) => up.choice(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        choice("--state /s up --on localstack --docker --ceph --no-oss --port 4600"),
        Choice {
            on: Some(Kind::LocalStack),
            docker: Some(true),
            port: Some(4600),
            ceph: Some(true),
            oss: Some(false)
        }
    );
    assert_eq!(choice("up --on ministack").on, Some(Kind::MiniStack));
    assert_eq!(
        choice("up --ceph --no-ceph").ceph,
        Some(false),
        "what is said last"
    );
    assert_eq!(choice("up").ceph, None);
}

#[test]
fn tests_run_where_they_are_told() {
    let test = |line: &str| match command(line) {
        Command::Test(test) => test,
        other => panic!("{other:?}"),
    };
    let wanted = |filter: Option<&str>, on: Option<On>| Test {
        filter: filter.map(str::to_owned),
        on,
        stop: false,
    };
    let url = "https://a1b2.execute-api.eu-central-1.amazonaws.com/live";
    for (line, filter, on) in [
        ("test", None, None),
        ("test --on ministack", None, Some(On::Emulator(Kind::MiniStack))),
        (&format!("test --on {url}/"), None, Some(On::Deployed(url.into()))),
        ("test tree::", Some("tree::"), None),
        (
            "test tree:: --on localstack",
            Some("tree::"),
            Some(On::Emulator(Kind::LocalStack)),
        ),
    ] {
        assert_eq!(test(line), wanted(filter, on), "{line}");
    }
    assert!(test("test --stop").stop);
}

#[test]
fn targets_are_checked_or_set() {
    let Command::Targets(Targets::Check { document }) = command("targets check t.json") else {
        panic!("not check");
    };
    assert_eq!(document, PathBuf::from("t.json"));
    let set = |stack: Option<&str>, retire| Set {
        document: "t.json".into(),
        stack: stack.map(str::to_owned),
        retire,
    };
    for (line, wanted) in [
        ("targets set t.json", set(None, false)),
        (
            "targets set t.json --retire --stack longshore-prod",
            set(Some("longshore-prod"), true),
        ),
    ] {
        let Command::Targets(Targets::Set(set)) = command(line) else {
            panic!("not set");
        };
        assert_eq!(set, wanted);
    }
}

#[test]
fn arguments_of_other_programs_are_handed_on() {
    for line in [
        "deploy --guided --help -x y",
        "bench replicate --guided --help -x y",
    ] {
        let (Command::Deploy { arguments } | Command::Bench(Bench::Replicate { arguments })) = command(line)
        else {
            panic!("{line}");
        };
        assert_eq!(arguments, ["--guided", "--help", "-x", "y"], "{line}");
    }
}

#[test]
fn ceph_is_controlled_by_tests() {
    for (line, killed) in [
        ("--state /s ceph kill", Daemon::Gateway),
        ("ceph kill osd", Daemon::Osd),
        ("ceph kill mon", Daemon::Mon),
    ] {
        let Command::Ceph(Ceph::Kill { daemon }) = command(line) else {
            panic!("{line}");
        };
        assert_eq!(daemon, killed, "{line}");
    }
}

#[test]
fn the_state_folder_can_be_chosen() {
    for line in ["--state /s down", "down --state /s"] {
        assert_eq!(parsed(line).unwrap().state, PathBuf::from("/s"), "{line}");
    }
    let here = std::env::current_dir().unwrap();
    assert_eq!(parsed("--state s down").unwrap().state, here.join("s"));
    assert_eq!(
        folder(OsString::new()).unwrap(),
        workspace::root().join(".longshore")
    );
}

#[test]
fn help_is_there() {
    for line in ["--help", "help", "test --help", "help up"] {
        assert_eq!(parsed(line).unwrap_err().kind(), ErrorKind::DisplayHelp, "{line}");
    }
    let help = Invocation::command().render_help().to_string();
    for word in ["--state", "LONGSHORE_STATE", "  up ", "  test ", "  deploy "] {
        assert!(help.contains(word), "{word}: {help}");
    }
}

#[test]
fn what_is_wrong_is_refused() {
    for line in [
        "fly",
        "up --port x",
        "up --port 70000",
        "up --fast",
        "up --on aws",
        "up --on",
        "test --on",
        "test --on aws",
        "test one two",
        "test --fast",
        "test --stop now",
        "test now --stop",
        "down now",
        "bench",
        "bench uploads",
        "ceph",
        "ceph kill mds",
        "oss",
        "oss kill",
        "--state",
        "fuzz many",
        "smoke",
        "smoke http://h --stack",
        "smoke http://h prod",
        "invite ann",
        "release",
        "release deploy",
        "release deploy a.tar.gz",
        "release package v1 mips",
        "targets",
        "targets show t.json",
        "targets check",
        "targets check t.json --stack x",
        "targets set t.json --stack",
        "targets set t.json --force",
    ] {
        let kind = parsed(line).unwrap_err().kind();
        assert_ne!(kind, ErrorKind::DisplayHelp, "{line}");
    }
}
