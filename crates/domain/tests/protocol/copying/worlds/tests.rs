//! Every state that each world can get into is reached, and keeps the properties.

use super::*;
use crate::checking::check;
use crate::copying::others::Other;

fn is_available(world: &World) -> bool {
    world.is(State::Available)
}

fn has_failed(world: &World) -> bool {
    world.is(State::Failed)
}

fn began_anew(world: &World) -> bool {
    world.replica.is_some_and(|row| row.multipart == Some(1))
}

fn is_removed(world: &World) -> bool {
    world.replica.is_none()
}

fn is_repaired(world: &World) -> bool {
    world
        .replica
        .is_some_and(|row| row.since == 1 && row.state == State::Available)
}

fn is_dead_lettered(world: &World) -> bool {
    world.replica.is_some_and(|row| row.dead_lettered)
}

/// What has failed again has another dead letter than the first time.
fn is_dead_lettered_again(world: &World) -> bool {
    is_dead_lettered(world) && world.replica.is_some_and(|row| row.since == 1)
}

/// A blob that is being reclaimed is at the target, and is redriven.
fn is_redriven_while_it_goes(world: &World) -> bool {
    world.marked && world.others.iter().flatten().any(Other::is_redrive)
}

fn is_parked(world: &World) -> bool {
    world.open && world.replica.is_some_and(Replica::is_parked)
}

fn is_parked_and_redriven(world: &World) -> bool {
    is_parked(world) && world.troubles.give_ups == 0
}

#[test]
fn the_sizes_are_what_they_should_be() {
    for (size, segments, parts) in [(LARGE, SEGMENTS, 9), (MIDDLE, 1, 2), (SMALL, 1, 1)] {
        let model = plain(size);
        assert_eq!(
            (model.segment_count(), model.plan.part_count()),
            (segments, parts)
        );
    }
}

#[test]
fn messages_vanish_and_the_target_forgets() {
    let model = forgetting().reaches("available", is_available);
    check(&model.reaches("started over", began_anew), 500_000);
}

#[test]
fn several_begin() {
    let model = beginning().reaches("available", is_available);
    check(&model.reaches("the second one is recorded", began_anew), 500_000);
}

#[test]
fn the_target_makes_something_else() {
    let model = corrupting().reaches("available", is_available);
    check(&model.reaches("started over", began_anew), 250_000);
}

#[test]
fn an_attempt_is_given_up_while_others_are_at_it() {
    let model = giving_up().reaches("failed", has_failed);
    check(&model.reaches("available", is_available), 200_000);
}

#[test]
fn an_attempt_is_tried_again_while_others_are_at_it() {
    let model = trying_again().reaches("failed", has_failed);
    check(&model.reaches("available", is_available), 50_000);
}

#[test]
fn attempts_are_given_up_again_and_again() {
    let model = giving_up_again()
        .reaches("failed", has_failed)
        .reaches("started over", began_anew);
    check(&model.reaches("available", is_available), 250_000);
}

#[test]
fn it_is_given_up_again_while_others_are_at_it() {
    let model = failing_again().reaches("dead_lettered", is_dead_lettered);
    check(&model.reaches("available", is_available), 50_000);
}

#[test]
fn it_is_given_up_and_lost_and_given_up_again() {
    let model = failing_and_losing().reaches("dead_lettered again", is_dead_lettered_again);
    check(&model.reaches("repaired", is_repaired), 100_000);
}

#[test]
fn the_target_loses_it() {
    check(&losing().reaches("repaired", is_repaired), 100_000);
}

#[test]
fn the_target_forgets_and_spoils_and_loses() {
    let model = losing_anyhow().reaches("repaired", is_repaired);
    check(&model.reaches("started over", began_anew), 50_000);
}

#[test]
fn the_blob_goes_while_it_is_copied() {
    check(&going().reaches("removed", is_removed), 200_000);
}

#[test]
fn the_blob_goes_whatever_else_happens() {
    let model = going_anyway().reaches("removed", is_removed);
    check(&model.reaches("tried again", is_redriven_while_it_goes), 100_000);
}

#[test]
fn the_target_is_left_alone_for_a_while() {
    let model = left_alone().reaches("parked", is_parked);
    check(&model.reaches("available", is_available), 100_000);
}

#[test]
fn it_is_given_up_while_the_target_is_left_alone() {
    let model = left_alone_and_given_up()
        .reaches("failed", has_failed)
        .reaches("parked and tried again", is_parked_and_redriven);
    check(&model.reaches("available", is_available), 50_000);
}

#[test]
fn a_small_blob_and_everything_that_may_go_wrong() {
    let model = small()
        .reaches("removed", is_removed)
        .reaches("failed", has_failed)
        .reaches("repaired", is_repaired);
    check(&model, 250_000);
}
