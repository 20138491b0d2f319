//! Every remote call of every function that writes, failing in every way: what was begun is ended by those who come later,
//! and nothing is lost, counted twice or left behind.
//!
//! Nothing here knows which calls a function makes. A run without faults counts them; then each call fails in each
//! way, every time in a world of its own. Everything settles, and what must always hold is checked. Then everybody asks
//! again, as a client without an answer would, and it is checked once more.

#![allow(clippy::disallowed_methods, reason = "it says how long it took")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops where it fails, and says so"
)]

mod accounts;
mod batches;
mod cast;
mod finalizing;
mod readers;
mod reconciling;
mod replication;
mod runner;
mod sending;
mod sessions;
mod settling;
mod sweeping;
mod tokens;
mod trash;
mod tree;
mod uploads;
mod versions;

use runner::every_fault;

/// Makes a test of every scenario, and a list of the functions that have one.
macro_rules! scenarios {
    ($($test:ident: $function:literal, $prepare:path;)+) => {
        $(#[test] fn $test() { every_fault($function, &$prepare); })+

        /// The functions that are in a scenario.
        pub(crate) const SCENARIOS: &[&str] = &[$($function),+];
    };
}

scenarios! {
    an_account_that_is_made: "account-create", accounts::make;
    an_account_that_is_made_by_invitation: "account-create", accounts::make_by_invitation;
    an_invitation_that_is_made: "account-invite", accounts::invite;
    a_password_that_is_set_by_a_code: "account-reset-password", accounts::reset_password;
    a_password_that_is_changed: "account-set-password", accounts::set_password;
    a_quota_that_is_set: "account-set-quota", accounts::set_quota;
    a_role_that_is_set: "account-set-role", accounts::set_role;
    an_account_that_is_deleted: "account-delete", accounts::delete;
    somebody_who_signs_in: "session-create", sessions::sign_in;
    a_token_that_is_exchanged: "session-refresh", sessions::refresh;
    somebody_who_signs_out: "session-delete", sessions::sign_out;
    a_session_that_is_revoked: "session-revoke", sessions::revoke;
    somebody_who_signs_out_everywhere: "session-delete-all", sessions::sign_out_everywhere;
    a_personal_token_that_is_made: "token-create", tokens::make;
    a_personal_token_that_is_ended: "token-delete", tokens::end;
    an_upload_that_is_created: "upload-create", uploads::new;
    an_upload_that_is_announced: "upload-create", uploads::announced;
    an_upload_of_content_that_the_account_has: "upload-create", uploads::own;
    an_upload_of_content_that_another_has: "upload-create", uploads::anothers;
    an_upload_that_is_created_under_a_key: "upload-create", uploads::under_key;
    an_upload_of_own_content_under_a_key: "upload-create", uploads::own_under_key;
    parts_that_are_signed: "upload-sign-parts", sending::sign;
    an_upload_whose_parts_the_store_lost: "upload-get", sending::look_at_lost_parts;
    an_upload_that_is_aborted: "upload-abort", sending::abort;
    a_challenge_that_is_answered: "upload-prove", sending::prove;
    a_challenge_that_is_answered_wrong: "upload-prove", sending::prove_wrong;
    a_proof_that_replaces_a_file: "upload-prove", sending::prove_replacing;
    a_finalize_of_new_content: "upload-complete", finalizing::new_content;
    a_finalize_of_known_content: "upload-complete", finalizing::known_content;
    a_finalize_that_replaces_a_file: "upload-complete", finalizing::replacing;
    a_folder_that_is_made: "folder-create", tree::make_folder;
    a_file_that_is_moved: "file-update", tree::move_file;
    a_file_that_is_moved_over_another: "file-update", tree::replace_by_moving;
    a_file_that_is_copied: "file-copy", tree::copy_file;
    a_file_that_is_copied_over_another: "file-copy", tree::replace_by_copying;
    a_folder_that_is_renamed: "file-update", tree::rename_folder;
    a_folder_that_is_moved: "file-update", tree::move_folder;
    a_file_that_is_deleted: "file-delete", tree::delete_file;
    the_last_file_of_its_content_that_is_deleted: "file-delete", tree::delete_last_file;
    a_folder_that_is_deleted: "file-delete", tree::delete_folder;
    a_file_that_goes_to_the_trash: "file-delete", trash::trash_file;
    a_folder_that_goes_to_the_trash: "file-delete", trash::trash_folder;
    a_folder_that_is_removed: "file-delete", trash::remove_folder;
    a_folder_that_is_removed_from_the_trash: "file-delete", trash::remove_from_trash;
    a_file_that_is_restored: "trash-restore", trash::restore_file;
    a_folder_that_is_restored: "trash-restore", trash::restore_folder;
    files_and_folders_that_are_moved: "file-batch", batches::move_all;
    files_and_folders_that_go_to_the_trash: "file-batch", batches::trash_all;
    files_and_folders_that_are_restored: "file-batch", batches::restore_all;
    files_and_folders_that_are_removed: "file-batch", batches::delete_all;
    a_trash_that_is_emptied: "trash-empty", trash::empty;
    a_version_that_is_restored: "version-restore", versions::restore;
    a_version_that_is_kept: "version-update", versions::keep;
    a_version_that_is_removed: "version-delete", versions::delete;
    a_version_that_is_one_too_many: "file-copy", versions::one_too_many;
    a_file_with_versions_that_is_removed: "file-delete", versions::delete_file;
    a_small_file_that_is_replicated: "replicate", replication::small;
    a_large_file_whose_replicas_begin: "replicate", replication::start;
    a_large_file_whose_segments_are_copied: "replicate", replication::copy;
    a_large_file_whose_replicas_are_finished: "replicate", replication::finish;
    a_replica_that_is_given_up: "replicate", replication::give_up;
    failed_replicas_that_are_tried_again: "target-redrive", replication::redrive;
    a_sweep_of_a_new_table: "sweep", sweeping::new_table;
    a_sweep_that_lets_an_upload_expire: "sweep", sweeping::expire;
    a_sweep_that_takes_a_finalize_over: "sweep", sweeping::take_over;
    a_sweep_that_takes_over_after_the_object_was_made: "sweep", sweeping::take_over_object;
    a_sweep_that_discards: "sweep", sweeping::discard;
    a_sweep_that_sends_a_message_again: "sweep", sweeping::resend;
    a_sweep_that_begins_to_reclaim: "sweep", sweeping::mark;
    a_sweep_that_reclaims: "sweep", sweeping::reclaim;
    a_sweep_that_clears_a_deleted_account: "sweep", sweeping::clear_account;
    a_sweep_that_empties_a_trash: "sweep", trash::sweep_emptied;
    a_sweep_that_counts_a_folder: "sweep", trash::sweep_counts;
    a_sweep_that_removes_what_is_old: "sweep", trash::sweep_expired;
    a_sweep_that_removes_old_versions: "sweep", versions::sweep_old;
    a_sweep_that_removes_files_with_versions: "sweep", versions::sweep_trash;
    a_reconciler_that_finds_parts_of_nobody: "reconcile", reconciling::orphaned_parts;
    a_reconciler_that_finds_an_object_of_nobody: "reconcile", reconciling::orphaned_object;
    a_reconciler_that_misses_an_object: "reconcile", reconciling::lost_object;
    a_reconciler_that_misses_a_replica: "reconcile", reconciling::lost_replica;
    a_file_that_is_downloaded: "file-download", readers::download;
    a_search: "file-search", readers::search;
    a_file_that_is_looked_at: "file-get", readers::look;
}
