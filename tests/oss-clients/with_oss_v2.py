"""What the second official Python client, alibabacloud-oss-v2, sees of an OSS server. See checks.py."""

import datetime
from collections.abc import Callable

import alibabacloud_oss_v2 as oss
from checks import (
    ACCESS_KEY_ID,
    BUCKET,
    CNAME,
    DIGITS,
    DIGITS_CRC64,
    ENDPOINT,
    PARTS,
    REGION,
    SECRET_ACCESS_KEY,
    SECURITY_TOKEN,
    UNICODE_KEY,
    WHOLE,
    check,
    expect,
    expect_refusal,
    fetch,
    md5_of,
    run,
)

PREFIX = "oss-v2/"


def connect() -> oss.Client:
    credentials = oss.credentials.StaticCredentialsProvider(ACCESS_KEY_ID, SECRET_ACCESS_KEY, SECURITY_TOKEN)
    return oss.Client(
        oss.config.Config(
            region=REGION,
            endpoint=ENDPOINT,
            credentials_provider=credentials,
            use_cname=CNAME,
            # Signs the host as well.
            additional_headers=["host"],
        )
    )


client = connect()


def error_code(error: Exception) -> str | None:
    while isinstance(error, oss.exceptions.OperationError):
        error = error.unwrap()
    if isinstance(error, oss.exceptions.InconsistentError):
        return "InconsistentError"
    return getattr(error, "code", None)


def refused(code: str, action: Callable[[], object]) -> None:
    expect_refusal(code, error_code, action)


def put(key: str, data: bytes, **more: object) -> oss.PutObjectResult:
    return client.put_object(oss.PutObjectRequest(bucket=BUCKET, key=key, body=data, **more))


def get(key: str, **more: object) -> oss.GetObjectResult:
    return client.get_object(oss.GetObjectRequest(bucket=BUCKET, key=key, **more))


def delete_one(key: str) -> None:
    client.delete_object(oss.DeleteObjectRequest(bucket=BUCKET, key=key))


def listed(prefix: str, **more: object) -> list[str]:
    pages = client.list_objects_v2_paginator().iter_page(oss.ListObjectsV2Request(bucket=BUCKET, prefix=prefix, **more))
    found = []
    for page in pages:
        found += [item.key for item in page.contents or ()]
        found += [item.prefix for item in page.common_prefixes or ()]
    return sorted(found)


def begin(key: str, **more: object) -> str:
    return client.initiate_multipart_upload(
        oss.InitiateMultipartUploadRequest(bucket=BUCKET, key=key, **more)
    ).upload_id


def send_part(key: str, upload_id: str, number: int, data: bytes) -> oss.UploadPart:
    # The client compares the checksum in the answer with its own.
    sent = client.upload_part(
        oss.UploadPartRequest(bucket=BUCKET, key=key, upload_id=upload_id, part_number=number, body=data)
    )
    return oss.UploadPart(part_number=number, etag=sent.etag)


def send_parts(key: str, upload_id: str) -> list[oss.UploadPart]:
    return [send_part(key, upload_id, number, data) for number, data in enumerate(PARTS, 1)]


def complete(
    key: str, upload_id: str, parts: list[oss.UploadPart], **more: object
) -> oss.CompleteMultipartUploadResult:
    return client.complete_multipart_upload(
        oss.CompleteMultipartUploadRequest(
            bucket=BUCKET,
            key=key,
            upload_id=upload_id,
            complete_multipart_upload=oss.CompleteMultipartUpload(parts=parts),
            **more,
        )
    )


def abort(key: str, upload_id: str) -> None:
    client.abort_multipart_upload(oss.AbortMultipartUploadRequest(bucket=BUCKET, key=key, upload_id=upload_id))


def presigned(key: str, **more: object) -> str:
    request = oss.GetObjectRequest(bucket=BUCKET, key=key, **more)
    return client.presign(request, expires=datetime.timedelta(seconds=60)).url


@check
def put_get() -> None:
    sent = put(PREFIX + "digits", DIGITS, content_type="text/plain", metadata={"a": "b"})
    expect(sent.hash_crc64, str(DIGITS_CRC64))
    got = get(PREFIX + "digits")
    expect((got.body.read(), got.content_type, got.metadata["a"]), (DIGITS, "text/plain", "b"))
    expect(got.hash_crc64, str(DIGITS_CRC64))


@check
def head() -> None:
    sent = put(PREFIX + "head", DIGITS)
    about = client.head_object(oss.HeadObjectRequest(bucket=BUCKET, key=PREFIX + "head"))
    expect((about.content_length, about.hash_crc64, about.etag), (len(DIGITS), str(DIGITS_CRC64), sent.etag))
    none = oss.HeadObjectRequest(bucket=BUCKET, key=PREFIX + "none")
    refused("NoSuchKey", lambda: client.head_object(none))
    refused("NoSuchKey", lambda: get(PREFIX + "none"))


@check
def content_md5() -> None:
    put(PREFIX + "md5", DIGITS, content_md5=md5_of(DIGITS))
    refused("InvalidDigest", lambda: put(PREFIX + "md5-wrong", DIGITS, content_md5=md5_of(b"others")))
    expect(client.is_object_exist(BUCKET, PREFIX + "md5-wrong"), False)


@check
def range_get() -> None:
    put(PREFIX + "range", DIGITS)
    got = get(PREFIX + "range", range_header="bytes=2-4", range_behavior="standard")
    expect((got.body.read(), got.content_range), (b"345", "bytes 2-4/9"))
    expect(got.hash_crc64, str(DIGITS_CRC64))
    refused("InvalidRange", lambda: get(PREFIX + "range", range_header="bytes=9-", range_behavior="standard"))


@check
def unicode_key() -> None:
    key = PREFIX + UNICODE_KEY
    put(key, DIGITS)
    expect(get(key).body.read(), DIGITS)
    expect(listed(key), [key])
    _, body = fetch(presigned(key))
    expect(body, DIGITS)


@check
def list_objects() -> None:
    keys = [f"{PREFIX}list/{name}" for name in ("a b", "b/1", "b/2", "c", "d")]
    for key in keys:
        put(key, DIGITS)
    prefix = f"{PREFIX}list/"
    expect(listed(prefix, max_keys=2), keys)
    expect(listed(prefix, max_keys=2, delimiter="/"), [f"{prefix}{name}" for name in ("a b", "b/", "c", "d")])


@check
def delete() -> None:
    for name in ("1", "2", "3 &"):
        put(f"{PREFIX}delete/{name}", DIGITS)
    delete_one(PREFIX + "delete/1")
    delete_one(PREFIX + "delete/1")
    rest = [f"{PREFIX}delete/{name}" for name in ("2", "3 &")]
    objects = [oss.DeleteObject(key=key) for key in rest]
    deleted = client.delete_multiple_objects(
        oss.DeleteMultipleObjectsRequest(bucket=BUCKET, objects=objects, encoding_type="url")
    )
    expect([item.key for item in deleted.deleted_objects], rest)
    expect(listed(f"{PREFIX}delete/"), [])


@check
def forbid_overwrite() -> None:
    key = PREFIX + "forbidden"
    delete_one(key)
    put(key, DIGITS, forbid_overwrite=True)
    refused("FileAlreadyExists", lambda: put(key, b"others", forbid_overwrite=True))
    refused("FileAlreadyExists", lambda: begin(key, forbid_overwrite=True))
    upload_id = begin(key)
    parts = send_parts(key, upload_id)
    refused("FileAlreadyExists", lambda: complete(key, upload_id, parts, forbid_overwrite=True))
    abort(key, upload_id)
    expect(get(key).body.read(), DIGITS)


@check
def presigned_get() -> None:
    put(PREFIX + "signed", DIGITS)
    disposition = 'attachment; filename="a b.txt"'
    url = presigned(
        PREFIX + "signed", response_content_disposition=disposition, response_content_type="text/x-a"
    )
    headers, body = fetch(url)
    expect(body, DIGITS)
    expect((headers["Content-Disposition"], headers["Content-Type"]), (disposition, "text/x-a"))


@check
def multipart() -> None:
    key = PREFIX + "multipart"
    upload_id = begin(key)
    parts = send_parts(key, upload_id)
    pages = client.list_parts_paginator().iter_page(
        oss.ListPartsRequest(bucket=BUCKET, key=key, upload_id=upload_id, max_parts=2)
    )
    there = [(part.part_number, part.etag) for page in pages for part in page.parts]
    expect(there, [(part.part_number, part.etag) for part in parts])
    done = complete(key, upload_id, parts)
    got = get(key)
    expect((got.body.read(), got.hash_crc64, got.etag), (WHOLE, done.hash_crc64, done.etag))
    expect(got.object_type, "Multipart")
    refused("NoSuchUpload", lambda: complete(key, upload_id, parts))


@check
def wrong_parts() -> None:
    key = PREFIX + "wrong-parts"
    upload_id = begin(key)
    one, two, three = send_parts(key, upload_id)
    refused("InvalidPartOrder", lambda: complete(key, upload_id, [two, one]))
    refused("InvalidPart", lambda: complete(key, upload_id, [one, oss.UploadPart(part_number=2, etag=one.etag)]))
    four = send_part(key, upload_id, 4, b"x")
    refused("EntityTooSmall", lambda: complete(key, upload_id, [one, two, three, four]))
    abort(key, upload_id)


@check
def abort_and_list() -> None:
    key = PREFIX + "aborted +"
    uploads = sorted(begin(key) for _ in range(3))
    pages = client.list_multipart_uploads_paginator().iter_page(
        oss.ListMultipartUploadsRequest(bucket=BUCKET, prefix=key, max_uploads=2)
    )
    there = [(upload.key, upload.upload_id) for page in pages for upload in page.uploads]
    expect(there, [(key, upload) for upload in uploads])
    for upload_id in uploads:
        send_part(key, upload_id, 1, DIGITS)
        abort(key, upload_id)
        refused("NoSuchUpload", lambda upload_id=upload_id: abort(key, upload_id))
    left = client.list_multipart_uploads(oss.ListMultipartUploadsRequest(bucket=BUCKET, prefix=key))
    expect(left.uploads or [], [])


if __name__ == "__main__":
    run(error_code)
