//! All conditions of writes, by operation and kind of item.

use crate::evidence::Evidence::{self, Late, NotAlone, Race as In, World};
use crate::evidence::{
    LEASES, LOOKED_AT, ONE_TRANSACTION, PASSES, PUBLISHED, RANDOM, SETTLED, THE_SAME, WANTED,
};
use crate::{accounts, blobs, counting, failing, races, replicas, trash, tree, versions};

pub(crate) const LIST: &[(&str, Evidence)] = &[
    (
        "ConditionCheck ACCOUNT/ACCOUNT: attribute_exists(pk) AND attribute_not_exists(deletion_started_at) AND (attribute_not_exists(sign_outs) OR sign_outs = :sign_outs)",
        Late(accounts::a_token_of_ended_sessions),
    ),
    (
        "ConditionCheck ACCOUNT/ACCOUNT: attribute_exists(pk) AND attribute_not_exists(deletion_started_at) AND sign_outs = :sign_outs",
        Late(accounts::a_token_of_sessions_ended_again),
    ),
    (
        "ConditionCheck ACCOUNT/EMPTIED: attribute_not_exists(pk) OR through < :moment",
        Late(trash::what_was_in_a_trash_that_was_emptied),
    ),
    (
        "ConditionCheck ACCOUNT/NODE: attribute_exists(pk) AND attribute_not_exists(trashed_at)",
        Late(trash::what_is_replaced_in_the_trash),
    ),
    (
        "ConditionCheck ACCOUNT/SESSION: attribute_exists(pk)",
        Late(accounts::a_token_of_an_ended_session),
    ),
    (
        "ConditionCheck ACCOUNT/UPLOAD: version = :version",
        Late(blobs::digests_of_other_bytes),
    ),
    (
        "ConditionCheck BLOB/BLOB: reclaiming = :no",
        Late(replicas::a_replica_that_is_missing),
    ),
    (
        "Delete ACCOUNT/EMPTIED: through = :through",
        Late(trash::a_trash_that_is_emptied_again),
    ),
    ("Delete ACCOUNT/ENTRY: node = :node", NotAlone(ONE_TRANSACTION)),
    (
        "Delete ACCOUNT/FOLDER: attribute_exists(pk)",
        NotAlone(ONE_TRANSACTION),
    ),
    (
        "Delete ACCOUNT/HAS_CONTENT: attribute_exists(pk)",
        NotAlone(ONE_TRANSACTION),
    ),
    (
        "Delete ACCOUNT/NODE: version = :version",
        Late(tree::a_version_that_was_replaced),
    ),
    (
        "Delete ACCOUNT/NODE: entries = :none AND version = :version",
        In(races::files_in_a_folder_that_goes),
    ),
    (
        "Delete ACCOUNT/SESSION: attribute_exists(pk)",
        In(races::ends_of_a_session),
    ),
    (
        "Delete ACCOUNT/TOKEN: attribute_exists(pk)",
        In(races::ends_of_a_token),
    ),
    (
        "Delete ACCOUNT/TRASH: #bytes = :bytes",
        Late(counting::a_folder_that_is_being_removed),
    ),
    (
        "Delete ACCOUNT/TRASH: #bytes = :bytes AND attribute_not_exists(purging)",
        Late(trash::what_is_counted_and_removed),
    ),
    (
        "Delete ACCOUNT/TRASH: attribute_exists(pk) AND attribute_not_exists(#bytes)",
        Late(counting::a_folder_that_is_counted_meanwhile),
    ),
    (
        "Delete ACCOUNT/TRASH: attribute_exists(pk) AND attribute_not_exists(#bytes) AND attribute_not_exists(purging)",
        Late(trash::what_is_removed),
    ),
    (
        "Delete ACCOUNT/VERSION: expires_at = :ends AND attribute_exists(#file.kept)",
        NotAlone(WANTED),
    ),
    (
        "Delete ACCOUNT/VERSION: expires_at = :ends AND attribute_not_exists(#file.kept)",
        Late(versions::a_version_that_was_kept),
    ),
    (
        "Delete BLOB/REPLICA: #state = :from AND since = :since",
        Late(replicas::a_replica_that_is_removed),
    ),
    (
        "Delete CONTENT/CONTENT: attribute_not_exists(pk) OR #blob = :blob",
        Late(blobs::content_that_has_another_blob),
    ),
    (
        "Delete INVITATIONS/INVITATION: attribute_exists(pk) AND attribute_not_exists(used_at)",
        Late(accounts::an_invitation_that_was_used),
    ),
    (
        "Delete USERNAME/USERNAME: account = :account",
        NotAlone(ONE_TRANSACTION),
    ),
    ("Put ACCOUNT/ACCOUNT: attribute_not_exists(pk)", NotAlone(RANDOM)),
    (
        "Put ACCOUNT/ATTEMPTS: #count = :count AND last_at = :last_at",
        In(races::guesses_of_a_password_once_more),
    ),
    (
        "Put ACCOUNT/ATTEMPTS: attribute_not_exists(pk)",
        In(races::guesses_of_a_password_once_more),
    ),
    (
        "Put ACCOUNT/EMPTIED: attribute_not_exists(pk) OR through < :through",
        Late(trash::a_trash_that_is_emptied_late),
    ),
    ("Put ACCOUNT/ENTRY: attribute_not_exists(pk)", World(700_000)),
    ("Put ACCOUNT/ENTRY: node = :there", NotAlone(ONE_TRANSACTION)),
    (
        "Put ACCOUNT/TRASH: attribute_not_exists(pk)",
        NotAlone(ONE_TRANSACTION),
    ),
    (
        "Put ACCOUNT/HAS_CONTENT: attribute_not_exists(pk)",
        NotAlone(ONE_TRANSACTION),
    ),
    (
        "Put ACCOUNT/KEY: attribute_not_exists(pk) OR #ttl <= :now",
        World(700_000),
    ),
    (
        "Put ACCOUNT/NODE: version = :version",
        Late(tree::a_content_that_it_had),
    ),
    ("Put ACCOUNT/NODE: attribute_not_exists(pk)", NotAlone(RANDOM)),
    (
        "Put ACCOUNT/SESSION: #current = :current AND sign_outs = :sign_outs",
        Late(accounts::a_refresh_of_an_ended_session),
    ),
    ("Put ACCOUNT/SESSION: attribute_not_exists(pk)", NotAlone(RANDOM)),
    ("Put ACCOUNT/TOKEN: attribute_not_exists(pk)", NotAlone(RANDOM)),
    ("Put ACCOUNT/UPLOAD: attribute_not_exists(pk)", NotAlone(RANDOM)),
    ("Put ACCOUNT/UPLOAD: version = :version", World(700_002)),
    (
        "Put ACCOUNT/VERSION: attribute_not_exists(pk)",
        NotAlone(ONE_TRANSACTION),
    ),
    ("Put BLOB/BLOB: attribute_not_exists(pk)", NotAlone(RANDOM)),
    ("Put BLOB/REPLICA: attribute_not_exists(pk)", World(700_017)),
    (
        "Put BLOB/SEGMENT: attribute_not_exists(pk) OR multipart_id <> :multipart_id",
        Late(replicas::a_segment_that_is_recorded),
    ),
    ("Put CONTENT/CONTENT: attribute_not_exists(pk)", World(700_000)),
    ("Put FORMAT/FORMAT: attribute_not_exists(pk)", NotAlone(THE_SAME)),
    (
        "Put INVITATIONS/INVITATION: attribute_not_exists(pk)",
        NotAlone(RANDOM),
    ),
    (
        "Put RECONCILE/RECONCILE: attribute_not_exists(pk)",
        NotAlone(PASSES),
    ),
    ("Put RECONCILE/RECONCILE: version = :version", NotAlone(PASSES)),
    (
        "Put SIGNIN/ATTEMPTS: #count = :count AND last_at = :last_at",
        In(races::guesses),
    ),
    (
        "Put SIGNIN/ATTEMPTS: attribute_not_exists(pk)",
        In(races::first_guesses),
    ),
    (
        "Put TARGET/CIRCUIT: attribute_not_exists(pk)",
        Late(failing::a_circuit_that_is_opened),
    ),
    (
        "Put TARGET/CIRCUIT: version = :version",
        Late(failing::a_circuit_that_is_opened),
    ),
    (
        "Put TARGET/SLOT: attribute_not_exists(pk) OR #until < :now OR holder = :holder",
        Late(failing::workers_at_once),
    ),
    (
        "Put TARGETS/TARGETS: attribute_not_exists(pk)",
        NotAlone(PUBLISHED),
    ),
    ("Put TARGETS/TARGETS: version = :version", NotAlone(PUBLISHED)),
    ("Put USERNAME/USERNAME: attribute_not_exists(pk)", World(700_000)),
    (
        "Update ACCOUNT/ACCOUNT: attribute_exists(due_at)",
        NotAlone(SETTLED),
    ),
    (
        "Update ACCOUNT/ACCOUNT: attribute_exists(pk)",
        Late(accounts::a_role_of_a_deleted_account),
    ),
    (
        "Update ACCOUNT/ACCOUNT: attribute_exists(pk) AND attribute_not_exists(deletion_started_at)",
        Late(accounts::a_new_password_of_a_deleted_account),
    ),
    ("Update ACCOUNT/ACCOUNT: free_bytes >= :bytes", World(700_000)),
    (
        "Update ACCOUNT/ACCOUNT: password_hash = :hash AND attribute_not_exists(deletion_started_at)",
        In(races::a_new_password_for_a_deleted_account),
    ),
    (
        "Update ACCOUNT/ACCOUNT: password_hash = :old AND attribute_exists(pk) AND attribute_not_exists(deletion_started_at) AND (attribute_not_exists(sign_outs) OR sign_outs = :sign_outs)",
        In(races::two_new_passwords),
    ),
    ("Update ACCOUNT/ACCOUNT: quota_bytes = :was", In(races::quotas)),
    (
        "Update ACCOUNT/ALLOWANCE: attribute_not_exists(spent) OR spent <= :most",
        In(races::creates_of_an_account),
    ),
    (
        "Update ACCOUNT/FOLDER: attribute_exists(pk)",
        NotAlone(ONE_TRANSACTION),
    ),
    (
        "Update ACCOUNT/FOLDERS: attribute_exists(pk)",
        NotAlone(ONE_TRANSACTION),
    ),
    (
        "Update ACCOUNT/FOLDERS: attribute_not_exists(pk) OR moves = :moves",
        Late(tree::a_folder_that_is_too_deep),
    ),
    (
        "Update ACCOUNT/FOLDERS: moves = :moves AND creations = :creations",
        Late(tree::a_folder_within_itself),
    ),
    (
        "Update ACCOUNT/NODE: attribute_exists(pk)",
        NotAlone(ONE_TRANSACTION),
    ),
    (
        "Update ACCOUNT/NODE: attribute_exists(pk) AND attribute_not_exists(#file) AND attribute_not_exists(trashed_at)",
        In(races::files_in_a_folder_that_goes),
    ),
    (
        "Update ACCOUNT/NODE: version = :version",
        Late(tree::a_name_it_has_again),
    ),
    (
        "Update ACCOUNT/SESSION: attribute_exists(pk)",
        Late(accounts::a_new_password_of_an_ended_session),
    ),
    (
        "Update ACCOUNT/TRASH: #bytes = :bytes",
        Late(counting::what_is_counted_and_gone),
    ),
    (
        "Update ACCOUNT/TRASH: attribute_exists(due_at)",
        Late(counting::what_has_come_back_and_is_put_off),
    ),
    (
        "Update ACCOUNT/TRASH: attribute_exists(pk)",
        Late(trash::what_has_come_back),
    ),
    (
        "Update ACCOUNT/TRASH: attribute_exists(pk) AND attribute_not_exists(#bytes)",
        Late(counting::what_is_gone),
    ),
    (
        "Update ACCOUNT/TRASH: attribute_exists(pk) AND attribute_not_exists(purging) AND attribute_not_exists(#bytes)",
        Late(counting::a_count_of_what_has_come_back),
    ),
    (
        "Update ACCOUNT/UPLOAD: attribute_exists(due_at)",
        NotAlone(SETTLED),
    ),
    ("Update ACCOUNT/UPLOAD: version = :version", NotAlone(LOOKED_AT)),
    (
        "Update ACCOUNT/VERSION: expires_at = :ends AND attribute_exists(#file.kept)",
        Late(versions::a_version_that_is_kept_again),
    ),
    (
        "Update ACCOUNT/VERSION: expires_at = :ends AND attribute_not_exists(#file.kept)",
        Late(versions::a_version_that_is_not_kept_any_more),
    ),
    (
        "Update BLOB/BLOB: #references = :were_references AND reclaiming = :was_reclaiming AND attribute_not_exists(due_at) AND attribute_exists(lost_since)",
        Late(blobs::a_deleted_file_whose_bytes_are_found),
    ),
    (
        "Update BLOB/BLOB: #references = :were_references AND reclaiming = :was_reclaiming AND attribute_not_exists(due_at) AND attribute_not_exists(lost_since)",
        Late(blobs::a_deleted_file_whose_bytes_are_gone),
    ),
    (
        "Update BLOB/BLOB: #references = :were_references AND reclaiming = :was_reclaiming AND due_at = :was_due AND attribute_exists(lost_since)",
        Late(blobs::the_last_file_of_a_lost_blob),
    ),
    (
        "Update BLOB/BLOB: #references = :were_references AND reclaiming = :was_reclaiming AND due_at = :was_due AND attribute_not_exists(lost_since)",
        Late(blobs::a_mark_on_a_revived_blob),
    ),
    (
        "Update BLOB/BLOB: #references >= :files",
        NotAlone(ONE_TRANSACTION),
    ),
    (
        "Update BLOB/BLOB: attribute_exists(due_at)",
        Late(failing::a_blob_that_is_put_off),
    ),
    (
        "Update BLOB/BLOB: attribute_exists(pk) AND reclaiming = :no AND attribute_not_exists(lost_since)",
        Late(blobs::a_file_of_a_marked_blob),
    ),
    (
        "Update BLOB/REPLICA: #state = :failed",
        Late(failing::a_failed_replica_that_is_due),
    ),
    (
        "Update BLOB/REPLICA: #state = :failed AND updated_at = :read",
        Late(failing::a_dead_letter_of_what_is_there),
    ),
    (
        "Update BLOB/REPLICA: #state = :from AND since = :since",
        Late(replicas::a_copy_that_is_made),
    ),
    (
        "Update BLOB/REPLICA: #state = :from AND since = :since AND attribute_exists(multipart_id)",
        Late(failing::a_part_that_is_tried_again),
    ),
    (
        "Update BLOB/REPLICA: #state = :from AND since = :since AND attribute_not_exists(multipart_id)",
        Late(failing::a_replica_that_is_tried_again),
    ),
    (
        "Update BLOB/REPLICA: #state IN (:pending, :copying)",
        Late(failing::a_replica_without_a_message),
    ),
    (
        "Update BLOB/REPLICA: attribute_exists(due_at)",
        Late(replicas::a_replica_that_is_put_off),
    ),
    (
        "Update BLOB/REPLICA: attribute_exists(pk) AND #state <> :available",
        Late(failing::a_failure_of_what_is_there),
    ),
    (
        "Update BLOB/REPLICA: attribute_not_exists(due_at) AND #state IN (:pending, :copying)",
        Late(failing::a_replica_without_a_message),
    ),
    (
        "Update BLOB/REPLICA: attribute_not_exists(multipart_id) AND #state IN (:pending, :copying) AND since = :since",
        Late(replicas::a_multipart_upload_that_is_begun),
    ),
    (
        "Update BLOB/REPLICA: multipart_id = :multipart_id AND #state <> :available",
        Late(replicas::a_multipart_upload_that_is_gone),
    ),
    (
        "Update BLOB/REPLICA: multipart_id = :multipart_id AND #state <> :available AND attribute_exists(due_at)",
        Late(replicas::a_segment_of_what_is_done),
    ),
    (
        "Update BLOB/REPLICA: multipart_id = :multipart_id AND #state <> :available AND attribute_not_exists(due_at)",
        Late(replicas::a_segment_of_what_was_parked),
    ),
    (
        "Update BLOB/REPLICA: multipart_id = :multipart_id AND #state = :failed",
        Late(failing::a_segment_of_what_was_given_up),
    ),
    (
        "Update INVITATIONS/INVITATION: attribute_exists(pk) AND attribute_not_exists(used_at) AND #ttl > :now",
        In(races::an_invitation),
    ),
    (
        "Update LEASE/LEASE: attribute_not_exists(pk) OR #until < :now OR holder = :holder",
        NotAlone(LEASES),
    ),
    ("Update LEASE/LEASE: holder = :holder", NotAlone(LEASES)),
    (
        "Update SIGNIN/ALLOWANCE: attribute_not_exists(spent) OR spent <= :most",
        In(races::sign_ins_by_a_name),
    ),
    (
        "Update SOURCE/ALLOWANCE: attribute_not_exists(spent) OR spent <= :most",
        In(races::accounts_of_a_source),
    ),
    (
        "Update TARGET/SLOT: holder = :holder",
        Late(failing::a_place_that_another_has),
    ),
];
