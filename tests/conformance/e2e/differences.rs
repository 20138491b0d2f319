//! What servers do otherwise than AWS documents, as far as Longshore could notice it.

use conformance::run::Difference;

/// The servers of each service, in the order of the columns of [`ALL`]. The emulators' DynamoDB is dynoxide, which does all of it as AWS
/// documents.
const SERVERS: [(&str, &[&str]); 4] = [
    ("s3", &["ministack", "localstack", "ceph"]),
    ("dynamodb", &["ministack", "moto"]),
    ("sqs", &["ministack", "localstack"]),
    ("secrets", &["ministack", "localstack"]),
];

/// A scenario of a service, and what each server does instead; nothing where it does the same.
pub(crate) struct Row {
    pub(crate) service: &'static str,
    pub(crate) scenario: &'static str,
    pub(crate) instead: &'static [&'static str],
}

const fn s3(scenario: &'static str, instead: &'static [&'static str; 3]) -> Row {
    Row {
        service: "s3",
        scenario,
        instead,
    }
}

const fn dynamodb(scenario: &'static str, instead: &'static [&'static str; 2]) -> Row {
    Row {
        service: "dynamodb",
        scenario,
        instead,
    }
}

const fn sqs(scenario: &'static str, instead: &'static [&'static str; 2]) -> Row {
    Row {
        service: "sqs",
        scenario,
        instead,
    }
}

/// All of them, in the order of the table.
pub(crate) const ALL: &[Row] = &[
    s3(
        "an_object_has_the_checksum_of_its_put",
        &["in HEAD only", "", "no SHA-256"],
    ),
    s3("an_object_with_a_crc32", &["not told", "", "not told"]),
    s3("other_bytes_are_refused", &["", "", "taken"]),
    s3(
        "the_checksum_is_told_only_on_request_and_of_the_whole",
        &["not for a range that is the whole", "", "not told"],
    ),
    s3(
        "no_header_has_two_lines",
        &["500", "500", "sent without the header"],
    ),
    s3("more_than_a_thousand_are_refused", &["deleted", "deleted", ""]),
    s3(
        "more_than_a_thousand_objects_are_listed_in_pages",
        &[
            "all in one, if so many are asked for",
            "all in one, if so many are asked for",
            "",
        ],
    ),
    s3("uploads_are_listed_after_one_that_is_gone", &["", "refused", ""]),
    s3(
        "uploads_of_a_key_are_listed_by_their_beginnings",
        &["by their ids", "", "by their ids"],
    ),
    s3(
        "a_key_alone_means_all_of_its_uploads",
        &["they are listed again", "", "they are listed again"],
    ),
    s3("a_part_has_its_digest", &["", "", "no SHA-256"]),
    s3("a_part_with_another_digest_is_refused", &["", "", "taken"]),
    s3("a_part_without_a_digest_is_refused", &["taken", "", "taken"]),
    s3(
        "a_part_with_a_checksum_of_another_kind_is_refused",
        &["taken", "", "taken"],
    ),
    s3("a_part_number_out_of_range_is_refused", &["", "", "taken"]),
    s3("a_part_of_no_upload_is_refused", &["", "", "`NoSuchKey`"]),
    s3(
        "more_than_a_thousand_parts_are_listed_in_pages",
        &[
            "all in one, if so many are asked for",
            "all in one, if so many are asked for",
            "",
        ],
    ),
    s3(
        "without_an_algorithm_digests_are_verified_and_not_kept",
        &["kept", "", "not verified"],
    ),
    s3("completing_tells_the_etag", &["", "", "it is empty"]),
    s3("an_object_has_the_checksum_of_its_parts", &["", "", "no SHA-256"]),
    s3("parts_that_are_not_named_are_left_out", &["", "", "refused"]),
    s3(
        "without_an_algorithm_there_is_no_checksum",
        &["", "one of another kind", "digests are not compared"],
    ),
    s3(
        "a_completed_upload_is_gone",
        &["completed once more", "", "completed once more"],
    ),
    s3("an_aborted_upload_is_gone", &["", "", "500 when completed"]),
    s3(
        "only_where_nothing_is",
        &["", "a deletion since the upload began is a conflict", "ignored"],
    ),
    s3("parts_out_of_order_are_refused", &["taken", "taken", "taken"]),
    s3("parts_with_other_digests_are_refused", &["", "", "taken"]),
    s3("parts_without_digests_are_refused", &["taken", "", "taken"]),
    s3("a_small_part_that_is_not_the_last_is_refused", &["taken", "", ""]),
    s3("another_size_is_refused", &["", "not compared", "not compared"]),
    s3(
        "another_checksum_is_refused",
        &["", "not compared", "not compared"],
    ),
    s3("another_kind_of_checksum_is_refused", &["taken", "", "taken"]),
    s3("no_parts_are_refused", &["taken", "", ""]),
    s3("numbers_with_gaps_are_refused", &["taken", "taken", "400"]),
    s3("sums_of_whole_objects_are_refused", &["taken", "", "taken"]),
    s3("another_digest_is_refused", &["", "", "taken"]),
    s3(
        "a_header_that_is_not_signed_is_refused",
        &["taken", "", "judged by its value"],
    ),
    s3("a_url_for_later_is_not_good_yet", &["", "good", "good"]),
    s3("a_request_without_a_signature_is_refused", &["", "taken", ""]),
    dynamodb(
        "numbers_are_in_their_shortest_form",
        &["", "as they were written"],
    ),
    dynamodb("keys_are_never_empty", &["", "some are taken"]),
    dynamodb("items_have_a_largest_size", &["", "counted higher"]),
    dynamodb("a_batch_writes_up_to_twenty_five", &["", "not counted"]),
    dynamodb(
        "reserved_words_are_refused",
        &["", "500 for a name that is not explained"],
    ),
    dynamodb("a_token_is_good_once", &["", "written again"]),
    sqs("delays_have_a_limit", &["taken", "taken"]),
    sqs("control_characters_are_refused", &["taken in attributes", ""]),
    sqs("empty_texts_are_refused", &["taken in attributes", ""]),
    sqs("attributes_have_limits", &["taken", "taken"]),
    sqs("attributes_count_for_the_length", &["they do not", ""]),
    sqs(
        "deleting_once_more_is_no_error",
        &["`ReceiptHandleIsInvalid`", ""],
    ),
    sqs(
        "only_the_last_receipt_deletes",
        &["others are refused", "any of them deletes"],
    ),
    sqs("what_is_not_in_flight_stays_visible", &["hidden", "hidden"]),
    sqs(
        "nothing_is_invisible_for_more_than_twelve_hours",
        &["since the last change", "since the last change"],
    ),
    sqs("a_receive_has_limits", &["taken", "taken"]),
    sqs(
        "what_is_received_too_often_becomes_a_dead_letter",
        &["", "its last receipt still counts"],
    ),
];

/// Those of a server.
pub(crate) fn of(service: &str, server: &str) -> Vec<Difference> {
    let servers = SERVERS.iter().find(|(name, _)| *name == service).unwrap().1;
    let column = servers.iter().position(|name| *name == server);
    let column = column.unwrap_or_else(|| panic!("nothing is known of {service} at {server}"));
    let rows = ALL.iter().filter(|row| row.service == service);
    let all = rows.map(|row| Difference {
        scenario: row.scenario,
        instead: row.instead[column],
    });
    all.filter(|difference| !difference.instead.is_empty()).collect()
}
