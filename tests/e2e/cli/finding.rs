//! What is found and listed from the command line.

use super::signed_up;
use crate::harness::bytes::fresh;
use serde_json::Value;

#[test]
fn files_are_found_listed_and_counted() {
    let (terminal, _) = signed_up();
    for (name, size, folder) in [
        ("Report of May.txt", 1000, "/reports/2026"),
        ("report of June.txt", 500, "/reports"),
        ("photo.jpg", 2000, "/"),
    ] {
        std::fs::write(terminal.path(name), fresh(size)).unwrap();
        terminal.json(&["upload", name, "--to", folder]);
    }
    let lines = |arguments: &[&str]| -> Vec<String> {
        let output = terminal.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(
        lines(&["find", "REPORT"]),
        [
            "reports/",
            "reports/2026/Report of May.txt",
            "reports/report of June.txt"
        ]
    );
    assert_eq!(
        lines(&["find", "txt", "report", "--under", "reports/2026"]),
        ["reports/2026/Report of May.txt"]
    );
    assert_eq!(lines(&["find", "report", "july"]), [""; 0]);
    let found = terminal.json(&["find", "photo"]);
    assert_eq!(found["items"][0]["node"]["size"], 2000);
    assert_eq!(
        terminal.fails(4, &["find", "a", "--under", "/nowhere"])["message"],
        "there is no 'nowhere'"
    );
    terminal.fails(2, &["find", " "]);

    let listed = lines(&["ls", "-R"]);
    for path in ["/:", "reports:", "reports/2026:"] {
        assert!(listed.contains(&path.to_owned()), "{path}: {listed:?}");
    }
    let long = lines(&["ls", "-l", "reports"]);
    let id = terminal.json(&["ls", "reports"])["items"][0]["id"].clone();
    assert!(
        long.iter()
            .any(|line| line.starts_with("folder  -") && line.contains(id.as_str().unwrap())),
        "{long:?}"
    );

    let amount = |amount: &Value| ["bytes", "files", "folders"].map(|of| amount[of].as_u64().unwrap());
    let all = terminal.json(&["du"]);
    assert_eq!(amount(&all), [3500, 3, 2]);
    assert_eq!(amount(&all["items"][0]), [1500, 2, 1]);
    assert_eq!(amount(&terminal.json(&["du", "reports/2026"])), [1000, 1, 0]);
    assert_eq!(amount(&terminal.json(&["du", "photo.jpg"])), [2000, 1, 0]);
}
