use super::*;

fn sources(files: &[(&str, &str)]) -> Sources {
    let files = files.iter();
    files
        .map(|(path, text)| (PathBuf::from(path), (*text).to_owned()))
        .collect()
}

fn found(files: &[(&str, &str)]) -> Vec<String> {
    let circles = imports::circles(&sources(files)).unwrap();
    let shown = circles.iter();
    shown
        .map(|(one, other)| format!("{} {}", one.display(), other.display()))
        .collect()
}

#[test]
fn a_file_has_400_lines_at_most() {
    let (right, long) = ("\n".repeat(MOST_LINES), "\n".repeat(MOST_LINES + 1));
    let problems = too_long(&sources(&[("a.rs", &right), ("b.rs", &long)]));
    assert_eq!(
        problems,
        ["b.rs has 401 lines: split it by subject into files of at most 400"]
    );
}

#[test]
fn two_files_that_import_each_other_are_a_problem() {
    let circle = [(PathBuf::from("x/a.rs"), PathBuf::from("x/b.rs"))];
    assert_eq!(
        circles(&circle),
        [
            "x/a.rs and x/b.rs import each other: move what both need to where it belongs, or to a file of its own"
        ]
    );
    assert!(circles(&[]).is_empty());
}

#[test]
fn two_files_import_each_other() {
    let root = ("x/src/lib.rs", "mod a; mod b;");
    let a = ("x/src/a.rs", "use std::{fmt, io}; use crate::b::B; pub struct A;");
    let ab = ["x/src/a.rs x/src/b.rs"];
    for text in [
        "use crate::a::A;",
        "use crate::{a::{self, A as Other}, c};",
        "use super::a;",
        "use super::{a::*, c};",
        "fn f() { use crate::a::A; }",
        "mod inner { use super::super::a::A; }",
        "mod inner { use crate::a::A; }",
    ] {
        assert_eq!(found(&[root, a, ("x/src/b.rs", text)]), ab, "{text}");
    }
    for text in [
        "pub struct B;",
        "use a::A;",
        "use ::a::A;",
        "use other::{crate_a, a::A};",
        "fn f() -> crate::a::A { crate::a::A }",
        "mod inner { pub struct C; use super::B; } use inner::C; pub struct B;",
    ] {
        assert!(found(&[root, a, ("x/src/b.rs", text)]).is_empty(), "{text}");
    }
}

#[test]
fn parents_and_children() {
    let child = ("x/src/a/b.rs", "use super::A; pub struct B;");
    let is_circle = |text| {
        let files = [("x/src/main.rs", "mod a;"), ("x/src/a.rs", text), child];
        !found(&files).is_empty()
    };
    assert!(is_circle("mod b; pub struct A(B); use b::B;"));
    assert!(is_circle("mod b; pub struct A(B); use self::b::B;"));
    assert!(is_circle("mod b; pub struct A; pub use b::B;"));
    assert!(is_circle("mod b; mod c; pub use c::A; use b::B;"));
    assert!(!is_circle("mod b; pub struct A;"));
    assert!(!is_circle("mod b; pub struct A; use ::b::B;"));
    assert!(!is_circle("mod b; mod c; pub use b::B; pub(crate) use c::A;"));
}

#[test]
fn modules_are_found_wherever_they_are() {
    // Two tests that are one crate each, with a module that both have, and a folder with a `mod.rs`.
    let files = [
        ("x/tests/one.rs", "mod both;"),
        ("x/tests/two.rs", "mod both; use both::ask;"),
        ("x/tests/both/mod.rs", "mod ask; use ask::Ask;"),
        ("x/tests/both/ask.rs", "use crate::both::All;"),
    ];
    assert_eq!(found(&files), ["x/tests/both/ask.rs x/tests/both/mod.rs"]);
    assert!(imports::circles(&sources(&[("x/src/lib.rs", "use {")])).is_err());
}
