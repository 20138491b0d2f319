//! Rules that are broken on purpose: each must be found. What these tests show is that the others can fail.

use super::properties::{AVAILABLE, COPIED, COUNTERS, ENDS, FAILED, PROGRESS, REMOVED};
use super::rules::Rule;
use super::worlds::{
    beginning, corrupting, failing_again, failing_and_losing, forgetting, giving_up, giving_up_again, going,
    going_anyway, left_alone, left_alone_and_given_up, losing, small, trying_again,
};
use crate::checking::check_finds;

#[test]
fn a_segment_of_another_multipart_upload_counts() {
    check_finds(&forgetting().without(&[Rule::TellsMultipartsApart]), ENDS);
}

#[test]
fn a_replica_is_available_before_anybody_looked() {
    check_finds(&corrupting().without(&[Rule::Verifies]), AVAILABLE);
}

#[test]
fn a_multipart_upload_is_recorded_over_another() {
    check_finds(&beginning().without(&[Rule::BeginsOnce]), COUNTERS);
}

#[test]
fn whoever_was_not_the_first_to_begin_leaves_something_behind() {
    check_finds(&beginning().without(&[Rule::AbortsOwn]), ENDS);
}

#[test]
fn a_segment_of_a_forgotten_multipart_upload_is_recorded() {
    check_finds(&forgetting().without(&[Rule::RecordsOfMultipart]), PROGRESS);
}

#[test]
fn a_segment_is_recorded_twice() {
    check_finds(&beginning().without(&[Rule::RecordsOnce]), COPIED);
}

#[test]
fn recording_a_segment_revives_what_has_failed() {
    check_finds(&giving_up().without(&[Rule::RecordsKeepState]), COUNTERS);
}

#[test]
fn the_counters_is_counted_afterwards() {
    check_finds(&beginning().without(&[Rule::CountersInTransaction]), COUNTERS);
}

#[test]
fn it_becomes_available_from_whatever_state() {
    check_finds(&trying_again().without(&[Rule::ArrivesPinned]), COUNTERS);
}

#[test]
fn it_is_given_up_from_whatever_state() {
    check_finds(&trying_again().without(&[Rule::GivesUpPinned]), COUNTERS);
}

#[test]
fn it_is_tried_again_from_whatever_state() {
    check_finds(&trying_again().without(&[Rule::RedrivesPinned]), COUNTERS);
}

#[test]
fn it_is_removed_from_whatever_state() {
    check_finds(&going_anyway().without(&[Rule::RemovesPinned]), COUNTERS);
}

#[test]
fn what_was_seen_before_the_object_was_lost_makes_it_available() {
    check_finds(
        &losing().without(&[Rule::LosesSettled, Rule::PinsSince]),
        AVAILABLE,
    );
}

#[test]
fn the_dead_letter_is_sent_before_it_has_failed() {
    check_finds(&trying_again().without(&[Rule::FailsBeforeLetter]), FAILED);
}

#[test]
fn a_message_that_comes_again_leaves_no_dead_letter() {
    check_finds(&giving_up_again().without(&[Rule::LetterIfAgain]), ENDS);
}

#[test]
fn whoever_has_a_message_again_looks_at_the_beginning_only() {
    check_finds(&giving_up_again().without(&[Rule::LooksAfterwards]), ENDS);
}

#[test]
fn a_message_that_was_tried_is_sent_anew_as_if_it_had_not() {
    check_finds(&beginning().without(&[Rule::SaysIfTried]), ENDS);
}

#[test]
fn the_letter_of_the_next_failure_is_deleted() {
    check_finds(&giving_up_again().without(&[Rule::TakesLettersFirst]), FAILED);
}

#[test]
fn the_letter_of_the_next_failure_is_taken_for_sent() {
    check_finds(&failing_again().without(&[Rule::DeadLettersPinned]), FAILED);
}

#[test]
fn what_arrives_stays_dead_lettered() {
    check_finds(&failing_and_losing().without(&[Rule::ArrivingDigsUp]), FAILED);
}

#[test]
fn what_is_tried_again_stays_dead_lettered() {
    check_finds(&giving_up_again().without(&[Rule::RedrivingDigsUp]), FAILED);
}

#[test]
fn a_dead_letter_that_is_tried_again_and_given_up_is_gone() {
    check_finds(&giving_up_again().without(&[Rule::StartsMayBeLetters]), FAILED);
}

#[test]
fn a_start_does_not_redrive() {
    check_finds(&giving_up_again().without(&[Rule::StartRedrives]), ENDS);
}

#[test]
fn a_dead_letter_is_the_message_that_failed() {
    check_finds(&giving_up_again().without(&[Rule::LettersAreStarts]), ENDS);
}

#[test]
fn the_letter_is_deleted_before_it_is_tried_again() {
    check_finds(&trying_again().without(&[Rule::DeletesLettersLast]), FAILED);
}

#[test]
fn the_sweep_skips_what_is_pending() {
    check_finds(&forgetting().without(&[Rule::SweepsPending]), ENDS);
}

#[test]
fn the_sweep_skips_what_is_being_copied() {
    check_finds(&forgetting().without(&[Rule::SweepsCopying]), ENDS);
}

#[test]
fn what_waits_without_a_message_is_forgotten() {
    check_finds(&left_alone().without(&[Rule::Feeds]), ENDS);
}

#[test]
fn the_message_of_what_has_failed_is_taken_away_while_the_target_is_left_alone() {
    let model = left_alone_and_given_up().without(&[Rule::ParksUnderWay]);
    check_finds(&model, FAILED);
}

#[test]
fn a_multipart_upload_that_is_gone_is_not_forgotten() {
    check_finds(&forgetting().without(&[Rule::ForgetsMultiparts]), ENDS);
}

#[test]
fn other_multipart_uploads_stay() {
    check_finds(&beginning().without(&[Rule::AbortsOthers]), ENDS);
}

#[test]
fn other_multipart_uploads_are_aborted_too_early() {
    check_finds(&beginning().without(&[Rule::ArrivesFirst]), ENDS);
}

#[test]
fn multipart_uploads_of_those_who_died_stay() {
    check_finds(&beginning().without(&[Rule::AbortsIfAvailable]), ENDS);
}

#[test]
fn segments_of_what_is_repaired_are_deleted() {
    check_finds(&losing().without(&[Rule::LosesSettled]), PROGRESS);
}

#[test]
fn progress_outlives_the_object() {
    check_finds(&losing().without(&[Rule::LosesAll]), PROGRESS);
}

#[test]
fn nobody_looks_at_what_is_available() {
    check_finds(&losing().without(&[Rule::Reconciles]), ENDS);
}

#[test]
fn workers_begin_with_what_goes() {
    check_finds(&going().without(&[Rule::LeavesMarkedAlone]), REMOVED);
}

#[test]
fn it_is_removed_while_workers_are_at_it() {
    check_finds(&going().without(&[Rule::Settles]), REMOVED);
    check_finds(&small().without(&[Rule::Settles]), REMOVED);
}

#[test]
fn multipart_uploads_are_not_removed() {
    check_finds(&going().without(&[Rule::RemovesMultiparts]), REMOVED);
}

#[test]
fn the_row_is_removed_first() {
    check_finds(&going().without(&[Rule::RemovesRowLast]), REMOVED);
}
