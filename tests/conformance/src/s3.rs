//! S3. A scenario knows a client and an empty bucket; presigned ones also how to send a request that the SDK did not make.

mod completing;
mod deleting;
mod listing;
mod not_there;
mod objects;
mod parts;
mod presigned;
mod refusing;
mod wire;

pub use wire::{Wire, request};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::config::{Builder, RequestChecksumCalculation};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart,
};
use bytes::Bytes;
use domain::content::PartDigest;

/// The smallest part that is not the last.
const MIN_PART: usize = 5 * 1024 * 1024;

/// Where a scenario happens.
pub struct Place {
    /// Repeats nothing that fails.
    pub client: Client,
    /// An empty bucket.
    pub bucket: String,
    /// How else requests are sent there.
    pub wire: Wire,
}

scenarios! { place: Place;
    objects(&place.client, &place.bucket):
        an_object_is_read_as_it_was_put an_object_has_the_checksum_of_its_put an_object_without_a_checksum an_object_with_a_crc32
        other_bytes_are_refused other_bytes_than_their_md5_are_refused an_object_is_put_only_where_nothing_is
        the_checksum_is_told_only_on_request_and_of_the_whole some_bytes_of_an_object no_bytes_of_an_object
        the_query_says_headers_of_the_answer no_header_has_two_lines odd_keys;
    not_there(&place.client, &place.bucket):
        no_object no_bucket;
    deleting(&place.client, &place.bucket):
        an_object_is_deleted_once_and_again many_objects_are_deleted many_objects_are_deleted_quietly
        more_than_a_thousand_are_refused;
    listing(&place.client, &place.bucket):
        objects_are_listed_as_they_are objects_are_listed_in_pages
        more_than_a_thousand_objects_are_listed_in_pages objects_are_listed_from_a_key_on
        objects_are_listed_by_prefix uploads_are_listed_in_pages
        uploads_are_listed_after_one_that_is_gone uploads_are_listed_by_prefix
        uploads_of_a_key_are_listed_by_their_beginnings a_key_alone_means_all_of_its_uploads;
    parts(&place.client, &place.bucket):
        a_part_has_its_digest a_part_is_listed_as_it_is a_part_that_is_sent_again_replaces_the_first
        a_part_with_another_digest_is_refused a_part_with_another_md5_is_refused
        a_part_without_a_digest_is_refused a_part_with_a_checksum_of_another_kind_is_refused
        a_part_number_out_of_range_is_refused a_part_of_no_upload_is_refused parts_are_listed_in_pages
        more_than_a_thousand_parts_are_listed_in_pages without_an_algorithm_digests_are_verified_and_not_kept;
    completing(&place.client, &place.bucket):
        parts_become_an_object completing_tells_the_etag an_object_has_the_checksum_of_its_parts an_empty_part_becomes_an_empty_object parts_that_are_not_named_are_left_out
        without_an_algorithm_there_is_no_checksum a_completed_upload_is_gone an_aborted_upload_is_gone
        an_object_takes_the_place_of_another only_where_nothing_is;
    refusing(&place.client, &place.bucket):
        parts_out_of_order_are_refused parts_that_are_others_are_refused parts_with_other_digests_are_refused parts_without_digests_are_refused
        a_small_part_that_is_not_the_last_is_refused another_size_is_refused another_checksum_is_refused
        another_kind_of_checksum_is_refused no_parts_are_refused numbers_with_gaps_are_refused
        sums_of_whole_objects_are_refused;
    presigned(&place.client, &place.bucket, &place.wire):
        a_part_is_put another_digest_is_refused another_length_is_refused
        a_header_that_is_not_signed_is_refused another_place_is_refused another_method_is_refused
        a_url_expires a_url_for_later_is_not_good_yet an_object_is_read
        a_request_without_a_signature_is_refused;
}

/// Sends no checksum that was not asked for.
fn without_checksums() -> Builder {
    Builder::new().request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
}

/// Status and code of a refusal.
#[must_use]
pub fn refused<T, E: ProvideErrorMetadata>(answer: Result<T, SdkError<E, HttpResponse>>) -> (u16, String) {
    let Err(error) = answer else {
        panic!("it was not refused");
    };
    let status = error.raw_response().unwrap().status().as_u16();
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    (status, code.unwrap_or_default().to_owned())
}

/// What [`refused`] says.
#[must_use]
pub fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// Bytes that are not all the same.
#[must_use]
pub fn some_bytes(length: usize, seed: u8) -> Bytes {
    let mut state = u32::from(seed);
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// A digest as S3 has it.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    PartDigest::of(bytes).to_string()
}

/// Begins a multipart upload as Longshore does.
pub async fn begin(client: &Client, bucket: &str, key: &str) -> String {
    let request = client.create_multipart_upload().bucket(bucket).key(key);
    let answer = request
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .checksum_type(ChecksumType::Composite)
        .send()
        .await
        .unwrap();
    answer.upload_id.unwrap()
}

/// Sends a part and returns it as a request to complete names it.
pub async fn put_part(
    client: &Client,
    bucket: &str,
    key: &str,
    id: &str,
    number: i32,
    bytes: &Bytes,
) -> CompletedPart {
    let request = client.upload_part().bucket(bucket).key(key).upload_id(id);
    let answer = request
        .part_number(number)
        .checksum_sha256(sha256(bytes))
        .body(ByteStream::from(bytes.clone()))
        .send()
        .await
        .unwrap();
    CompletedPart::builder()
        .part_number(number)
        .e_tag(answer.e_tag().unwrap())
        .checksum_sha256(sha256(bytes))
        .build()
}

/// What a request to complete says.
#[must_use]
pub fn list_of(parts: &[CompletedPart]) -> CompletedMultipartUpload {
    CompletedMultipartUpload::builder()
        .set_parts(Some(parts.to_vec()))
        .build()
}

/// The numbers of the parts that are there.
async fn part_numbers(client: &Client, bucket: &str, key: &str, id: &str) -> Vec<i32> {
    let request = client.list_parts().bucket(bucket).key(key).upload_id(id);
    let answer = request.send().await.unwrap();
    answer
        .parts()
        .iter()
        .map(|part| part.part_number().unwrap())
        .collect()
}

/// Puts an object with its digest.
pub async fn put(client: &Client, bucket: &str, key: &str, bytes: &Bytes) {
    let request = client.put_object().bucket(bucket).key(key);
    let request = request.checksum_sha256(sha256(bytes));
    request
        .body(ByteStream::from(bytes.clone()))
        .send()
        .await
        .unwrap();
}

/// The bytes of an object; `None` when there is none.
async fn read(client: &Client, bucket: &str, key: &str) -> Option<Bytes> {
    match client.get_object().bucket(bucket).key(key).send().await {
        Ok(answer) => Some(answer.body.collect().await.unwrap().into_bytes()),
        Err(error) => {
            let there_is_none = error.as_service_error().unwrap().is_no_such_key();
            assert!(there_is_none, "{error:?}");
            None
        }
    }
}

/// Length, checksum and its type, of an object that is there.
async fn head(client: &Client, bucket: &str, key: &str) -> (i64, Option<String>, Option<ChecksumType>) {
    let request = client.head_object().bucket(bucket).key(key);
    let answer = request.checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    (
        answer.content_length().unwrap(),
        answer.checksum_sha256,
        answer.checksum_type,
    )
}
