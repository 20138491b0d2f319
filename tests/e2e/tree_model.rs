//! An account's tree against a model of it: whatever is done in whatever order, both are the same after each step.
//!
//! What fails is shrunk by running it again, each time in an account of its own, and kept: its seed in
//! `tree_model.regressions` beside this file, and as a case with a name in [`named`].

mod contents;
mod model;
mod moves;
mod named;
mod step;
mod world;

use crate::harness::stack::stack;
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError, TestRunner};
use step::{Move, NAMES, New, OnConflict, SIZES, Step};
use world::World;

fn new() -> impl Strategy<Value = New> {
    let on_conflict = prop::sample::select(vec![OnConflict::Fail, OnConflict::Rename, OnConflict::Replace]);
    let what = (
        0..5usize,
        0..NAMES.len(),
        0..SIZES.len(),
        on_conflict,
        any::<bool>(),
    );
    what.prop_map(|(parent, name, content, on_conflict, announced)| New {
        parent,
        name,
        content,
        on_conflict,
        announced,
    })
}

fn moved() -> impl Strategy<Value = Move> {
    let on_conflict = prop::sample::select(vec![OnConflict::Fail, OnConflict::Rename, OnConflict::Replace]);
    let parent = prop::option::of(0..8usize);
    let what = (0..12usize, parent, prop::option::of(0..NAMES.len()), on_conflict);
    what.prop_map(|(node, parent, name, on_conflict)| Move {
        node,
        parent,
        name,
        on_conflict,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let folder_conflict = prop::sample::select(vec![OnConflict::Fail, OnConflict::Rename]);
    let folder = (0..5usize, 0..NAMES.len(), folder_conflict);
    prop_oneof![
        3 => folder.prop_map(|(parent, name, on_conflict)| Step::MakeFolder { parent, name, on_conflict }),
        8 => new().prop_map(Step::Upload),
        3 => new().prop_map(Step::Begin),
        3 => (0..4usize).prop_map(Step::Complete),
        1 => (0..4usize).prop_map(Step::Abort),
        4 => (0..12usize).prop_map(Step::Delete),
        5 => moved().prop_map(Step::Move),
        3 => moved().prop_map(Step::Copy),
        2 => (0..12usize, 0..4usize).prop_map(|(node, version)| Step::RestoreVersion(node, version)),
        1 => (0..12usize).prop_map(Step::Get),
    ]
}

/// Does all steps in a new account.
fn run(steps: &[Step]) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(async {
        let mut world = World::new().await;
        for (number, step) in steps.iter().enumerate() {
            let done = world.take(step).await;
            done.map_err(|why| format!("step {number}, {step:?}: {why}"))?;
        }
        world.is_the_model_all_over().await
    })
}

#[test]
fn a_tree_is_what_the_model_says() {
    let config = Config {
        // Each is two accounts and some hundred calls; LocalStack answers ten times as slowly.
        cases: if stack().is_localstack() { 3 } else { 16 },
        // Those that fail late take as long as those that hold.
        max_shrink_iters: 400,
        max_shrink_time: 90_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        source_file: Some(file!()),
        ..Config::default()
    };
    // 25 on average; none at least, so that all can be left out which are not needed to fail.
    let steps = prop::collection::vec(step(), 0..=50);
    let outcome = TestRunner::new(config).run(&steps, |steps| run(&steps).map_err(TestCaseError::fail));
    if let Err(error) = outcome {
        panic!("{error}\nPut the steps into tree_model/named.rs, under a name.");
    }
}
