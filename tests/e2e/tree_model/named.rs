//! Cases that failed once, and cases that are easily got wrong.

use super::run;
use super::step::OnConflict::{Fail, Rename, Replace};
use super::step::Step::{Abort, Begin, Complete, Delete, Get, MakeFolder, Upload};
use super::step::{New, OnConflict, Step};

fn new(parent: usize, name: usize, content: usize, on_conflict: OnConflict) -> New {
    New {
        parent,
        name,
        content,
        on_conflict,
        announced: false,
    }
}

fn announced(new: New) -> New {
    New {
        announced: true,
        ..new
    }
}

fn folder(parent: usize, name: usize) -> Step {
    MakeFolder {
        parent,
        name,
        on_conflict: Fail,
    }
}

#[track_caller]
fn holds(steps: &[Step]) {
    if let Err(why) = run(steps) {
        panic!("{why}");
    }
}

#[test]
fn a_number_that_is_somebody_elses_name() {
    holds(&[
        Upload(new(0, 1, 1, Fail)),
        Upload(new(0, 0, 1, Fail)),
        Upload(new(0, 0, 2, Rename)),
        Upload(new(0, 1, 2, Rename)),
        Upload(announced(new(0, 0, 1, Rename))),
    ]);
}

#[test]
fn a_file_replaced_by_its_own_content() {
    holds(&[
        Upload(new(0, 2, 2, Fail)),
        Upload(new(0, 2, 2, Replace)),
        Upload(announced(new(0, 2, 2, Replace))),
        Delete(0),
        Upload(new(0, 2, 2, Replace)),
    ]);
}

/// Replacing at once needs no room but for what is more.
#[test]
fn a_full_account_replaces_what_it_has() {
    holds(&[
        Upload(new(0, 0, 3, Fail)),
        Upload(announced(new(0, 1, 3, Fail))),
        Upload(announced(new(0, 2, 3, Fail))),
        Upload(announced(new(0, 1, 3, Replace))),
        Upload(new(0, 1, 3, Replace)),
        Upload(new(0, 3, 2, Fail)),
        Upload(new(0, 1, 2, Fail)),
    ]);
}

#[test]
fn an_upload_into_a_folder_that_goes() {
    holds(&[
        folder(0, 0),
        Begin(new(1, 0, 1, Replace)),
        Delete(0),
        Complete(0),
        Upload(new(1, 1, 1, Fail)),
        folder(1, 0),
        Abort(0),
        folder(0, 0),
    ]);
}

#[test]
fn a_folder_is_never_replaced() {
    holds(&[
        Begin(new(0, 0, 1, Replace)),
        folder(0, 0),
        Complete(0),
        Upload(announced(new(0, 0, 3, Replace))),
        Delete(0),
        Complete(0),
        Get(1),
    ]);
}

#[test]
fn bytes_that_somebody_else_has_in_the_place_of_others() {
    holds(&[
        Upload(new(0, 0, 2, Fail)),
        Upload(announced(new(0, 0, 3, Replace))),
        Upload(announced(new(0, 0, 3, Rename))),
        Upload(announced(new(0, 0, 1, Replace))),
        Delete(1),
        Upload(announced(new(0, 0, 3, Replace))),
    ]);
}

#[test]
fn empty_files() {
    holds(&[
        Upload(announced(new(0, 0, 0, Fail))),
        Upload(announced(new(0, 0, 0, Rename))),
        Upload(announced(new(0, 0, 0, Replace))),
        Upload(new(0, 0, 1, Replace)),
        Upload(new(1, 0, 0, Fail)),
        Delete(0),
        Delete(0),
    ]);
}
