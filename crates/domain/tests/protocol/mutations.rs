//! Rules that are broken on purpose: each must be found. What these tests show is that the others can fail.

use crate::checking::{check, check_finds};
use crate::rules::{Conditions, Rules};
use crate::worlds;
use domain::account::{NoRoom, Quota, QuotaEvent};
use domain::blob::{self, Life};
use domain::finalize::{Step, StepResult};
use domain::upload::{self, ContentSource, Effect, Lifecycle, State, UploadEvent};
use jiff::{SignedDuration, Timestamp};

type Moved = Result<(Lifecycle, &'static [Effect]), upload::Refusal>;
type Lived = Result<(Life, &'static [blob::Effect]), blob::Refusal>;

const TRUE: Rules = Rules::TRUE;

/// The rules, without one condition of the store.
const fn without(change: Conditions) -> Rules {
    Rules {
        conditions: change,
        ..TRUE
    }
}

#[test]
fn a_blob_that_is_being_reclaimed_is_revived() {
    fn revive(life: &Life, event: blob::BlobEvent, now: Timestamp) -> Lived {
        let reclaiming = life.reclaiming && event != blob::BlobEvent::Refer;
        let (next, effects) = blob::step(&Life { reclaiming, ..*life }, event, now)?;
        Ok((
            Life {
                reclaiming: next.reclaiming || life.reclaiming,
                ..next
            },
            effects,
        ))
    }
    let rules = Rules { blob: revive, ..TRUE };
    check_finds(
        &worlds::content_comes_again().rules(rules),
        "every file has its bytes",
    );
}

#[test]
fn an_upload_is_aborted_while_it_is_being_finalized() {
    fn abort(lifecycle: &Lifecycle, event: UploadEvent, now: Timestamp) -> Moved {
        let state = match (event, lifecycle.state) {
            (UploadEvent::Abort, State::Finalizing) => State::Open,
            (_, state) => state,
        };
        upload::step(&Lifecycle { state, ..*lifecycle }, event, now)
    }
    let rules = Rules {
        upload: abort,
        ..TRUE
    };
    check_finds(
        &worlds::giving_up().rules(rules),
        "what is being finalized is not given up",
    );
}

#[test]
fn a_lease_is_taken_from_the_living() {
    fn steal(lifecycle: &Lifecycle, event: UploadEvent, now: Timestamp) -> Moved {
        let lease_until = lifecycle
            .lease_until
            .filter(|_| !matches!(event, UploadEvent::Lease(_)));
        upload::step(
            &Lifecycle {
                lease_until,
                ..*lifecycle
            },
            event,
            now,
        )
    }
    let rules = Rules {
        upload: steal,
        ..TRUE
    };
    check_finds(
        &worlds::several_finalize().rules(rules),
        "a lease is not taken before it runs out",
    );
}

/// Discarding after every commit would be right, as long as it asks whether the object became a blob.
fn discard_always(lifecycle: &Lifecycle, event: UploadEvent, now: Timestamp) -> Moved {
    let (next, effects) = upload::step(lifecycle, event, now)?;
    let own = event == UploadEvent::Commit(ContentSource::Own);
    Ok((
        next,
        if own {
            &[Effect::MakeFile, Effect::DiscardParts]
        } else {
            effects
        },
    ))
}

#[test]
fn an_object_is_discarded_that_became_a_blob() {
    let rules = Rules {
        upload: discard_always,
        ..TRUE
    };
    check(&worlds::several_finalize().width(2).rules(rules), 10_000);
    let conditions = Conditions {
        discard_asks_for_blob: false,
        ..TRUE.conditions
    };
    let rules = Rules { conditions, ..rules };
    check_finds(
        &worlds::several_finalize().rules(rules),
        "every file has its bytes",
    );
}

#[test]
fn a_reference_is_released_without_counting() {
    fn forget(life: &Life, event: blob::BlobEvent, now: Timestamp) -> Lived {
        let (next, effects) = blob::step(life, event, now)?;
        Ok((
            Life {
                references: next.references.max(life.references),
                ..next
            },
            effects,
        ))
    }
    let rules = Rules { blob: forget, ..TRUE };
    check_finds(
        &worlds::content_comes_again().rules(rules),
        "references are the files that refer",
    );
}

#[test]
fn a_part_digests_is_written_without_the_lease() {
    let rules = without(Conditions {
        part_digests_under_lease: false,
        ..TRUE.conditions
    });
    check_finds(
        &worlds::several_finalize().rules(rules),
        "every blob has its part digests",
    );
}

#[test]
fn an_object_that_the_part_digests_does_not_know_is_an_error() {
    let rules = without(Conditions {
        other_object_is_none: false,
        ..TRUE.conditions
    });
    check_finds(
        &worlds::sent_again().rules(rules),
        "every reader can parse what is stored",
    );
}

#[test]
fn a_store_does_not_tell_what_an_object_was_made_of() {
    let rules = without(Conditions {
        object_tells_content: false,
        ..TRUE.conditions
    });
    check_finds(&worlds::sent_again().rules(rules), "every file has its bytes");
}

#[test]
fn a_file_is_made_of_an_upload_that_was_changed() {
    let rules = without(Conditions {
        commit_of_version: false,
        ..TRUE.conditions
    });
    check_finds(
        &worlds::name_taken().rules(rules),
        "an upload that ended stays ended",
    );
}

#[test]
fn a_proof_makes_a_file_of_a_blob_that_goes() {
    let rules = without(Conditions {
        proof_asks_for_blob: false,
        ..TRUE.conditions
    });
    check_finds(&worlds::proof().rules(rules), "every file has its bytes");
}

#[test]
fn a_file_is_deleted_that_was_replaced_meanwhile() {
    let rules = without(Conditions {
        delete_of_content: false,
        ..TRUE.conditions
    });
    check_finds(
        &worlds::replacing().rules(rules),
        "references are the files that refer",
    );
}

#[test]
fn a_blob_is_marked_that_was_revived_meanwhile() {
    let rules = without(Conditions {
        mark_as_read: false,
        ..TRUE.conditions
    });
    check_finds(
        &worlds::content_comes_again().rules(rules),
        "every file has its bytes",
    );
}

#[test]
fn the_reconciler_asks_for_the_blob_too_early() {
    let rules = without(Conditions {
        reconciler_asks_for_blob_last: false,
        ..TRUE.conditions
    });
    check_finds(&worlds::reconciling().rules(rules), "every file has its bytes");
}

#[test]
fn an_ended_upload_is_discarded_only_once() {
    let rules = Rules {
        discard_again: |_, _| None,
        ..TRUE
    };
    check_finds(&worlds::giving_up().rules(rules), "in the end all is settled");
}

#[test]
fn a_slow_look_at_an_ended_upload_is_taken_for_the_last() {
    let rules = without(Conditions {
        discard_looks_at_clock_first: false,
        ..TRUE.conditions
    });
    check_finds(&worlds::giving_up().rules(rules), "in the end all is settled");
}

#[test]
fn an_ended_upload_is_discarded_again_too_early() {
    fn early(ended_at: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        let settled = upload::discard_again(ended_at, now)?;
        settled.saturating_sub(SignedDuration::from_mins(5)).ok()
    }
    let rules = Rules {
        discard_again: early,
        ..TRUE
    };
    check_finds(&worlds::giving_up().rules(rules), "in the end all is settled");
}

#[test]
fn a_blob_is_deleted_while_a_worker_copies_it() {
    fn hasty(life: &Life, event: blob::BlobEvent, now: Timestamp) -> Lived {
        let (next, effects) = blob::step(life, event, now)?;
        let soon = now.saturating_add(SignedDuration::from_mins(10)).ok();
        let marked = next.reclaiming && !life.reclaiming;
        Ok((
            Life {
                next_check_at: if marked { soon } else { next.next_check_at },
                ..next
            },
            effects,
        ))
    }
    let rules = Rules { blob: hasty, ..TRUE };
    check_finds(&worlds::copying().rules(rules), "in the end all is settled");
}

#[test]
fn a_blob_that_goes_keeps_its_place_in_the_index() {
    fn keep(life: &Life, event: blob::BlobEvent, now: Timestamp) -> Lived {
        let (next, effects) = blob::step(life, event, now)?;
        let freed = effects == [blob::Effect::FreeContent];
        Ok((next, if freed { &[] } else { effects }))
    }
    let rules = Rules { blob: keep, ..TRUE };
    check_finds(
        &worlds::content_comes_again().rules(rules),
        "the index leads to blobs that may be referenced",
    );
}

#[test]
fn parts_become_an_object_before_the_part_digests_is_written() {
    fn hasty(step: Step, answer: StepResult) -> Option<Step> {
        if (step, answer) == (Step::ListParts, StepResult::Parts) {
            Some(Step::FindBlob)
        } else {
            step.after(answer)
        }
    }
    let rules = Rules {
        finalize: hasty,
        ..TRUE
    };
    check_finds(
        &worlds::several_finalize().rules(rules),
        "in the end all is settled",
    );
}

#[test]
fn a_quota_is_taken_without_looking() {
    fn generous(quota: Quota, event: QuotaEvent) -> Result<Quota, NoRoom> {
        match event {
            QuotaEvent::Take { take, give } => {
                let free = quota
                    .free
                    .saturating_sub_unsigned(take)
                    .saturating_add_unsigned(give);
                Ok(Quota { free, ..quota })
            }
            other => quota.step(other),
        }
    }
    let rules = Rules {
        quota: generous,
        ..TRUE
    };
    check_finds(
        &worlds::creating().rules(rules),
        "the quota is exact and not exceeded",
    );
}
