"""What the first official Python client, oss2, sees of an OSS server. See checks.py."""

from collections.abc import Callable

import oss2
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
from oss2.credentials import StaticCredentialsProvider
from oss2.models import PartInfo

PREFIX = "oss2/"


def connect() -> oss2.Bucket:
    credentials = StaticCredentialsProvider(ACCESS_KEY_ID, SECRET_ACCESS_KEY, SECURITY_TOKEN)
    return oss2.Bucket(oss2.ProviderAuthV4(credentials), ENDPOINT, BUCKET, region=REGION, is_cname=CNAME)


bucket = connect()


def error_code(error: Exception) -> str | None:
    return getattr(error, "code", None) or None


def refused(code: str, action: Callable[[], object]) -> None:
    expect_refusal(code, error_code, action)


def begin(key: str) -> str:
    return bucket.init_multipart_upload(key).upload_id


def send_parts(key: str, upload_id: str) -> list[PartInfo]:
    parts = []
    for number, data in enumerate(PARTS, 1):
        # The client compares the checksum in the answer with its own.
        sent = bucket.upload_part(key, upload_id, number, data)
        parts.append(PartInfo(number, sent.etag, size=len(data), part_crc=sent.crc))
    return parts


@check
def put_get() -> None:
    put = bucket.put_object(PREFIX + "digits", DIGITS, headers={"Content-Type": "text/plain", "x-oss-meta-a": "b"})
    expect(put.crc, DIGITS_CRC64)
    got = bucket.get_object(PREFIX + "digits")
    expect(got.read(), DIGITS)
    expect((got.client_crc, got.server_crc), (DIGITS_CRC64, DIGITS_CRC64))
    expect((got.content_type, got.headers["x-oss-meta-a"]), ("text/plain", "b"))


@check
def head() -> None:
    put = bucket.put_object(PREFIX + "head", DIGITS)
    about = bucket.head_object(PREFIX + "head")
    expect((about.content_length, about.server_crc, about.etag), (len(DIGITS), DIGITS_CRC64, put.etag))
    expect(about.object_type, "Normal")
    refused("NoSuchKey", lambda: bucket.head_object(PREFIX + "none"))
    refused("NoSuchKey", lambda: bucket.get_object(PREFIX + "none"))


@check
def content_md5() -> None:
    bucket.put_object(PREFIX + "md5", DIGITS, headers={"Content-MD5": md5_of(DIGITS)})
    wrong = {"Content-MD5": md5_of(b"others")}
    refused("InvalidDigest", lambda: bucket.put_object(PREFIX + "md5-wrong", DIGITS, headers=wrong))
    expect(bucket.object_exists(PREFIX + "md5-wrong"), False)


@check
def range_get() -> None:
    bucket.put_object(PREFIX + "range", DIGITS)
    got = bucket.get_object(PREFIX + "range", byte_range=(2, 4))
    expect((got.read(), got.headers["Content-Range"]), (b"345", "bytes 2-4/9"))
    expect(got.server_crc, DIGITS_CRC64)
    expect(bucket.get_object(PREFIX + "range", byte_range=(None, 2)).read(), b"89")


@check
def unicode_key() -> None:
    key = PREFIX + UNICODE_KEY
    bucket.put_object(key, DIGITS)
    expect(bucket.get_object(key).read(), DIGITS)
    expect([found.key for found in oss2.ObjectIteratorV2(bucket, prefix=key)], [key])
    _, body = fetch(bucket.sign_url("GET", key, 60))
    expect(body, DIGITS)


@check
def list_objects() -> None:
    keys = [f"{PREFIX}list/{name}" for name in ("a b", "b/1", "b/2", "c", "d")]
    for key in keys:
        bucket.put_object(key, DIGITS)
    prefix = f"{PREFIX}list/"
    expect([found.key for found in oss2.ObjectIteratorV2(bucket, prefix=prefix, max_keys=2)], keys)
    expect([found.key for found in oss2.ObjectIterator(bucket, prefix=prefix, max_keys=2)], keys)
    by_folder = oss2.ObjectIteratorV2(bucket, prefix=prefix, delimiter="/", max_keys=2)
    expect([found.key for found in by_folder], [f"{prefix}{name}" for name in ("a b", "b/", "c", "d")])


@check
def delete() -> None:
    for name in ("1", "2", "3 &"):
        bucket.put_object(f"{PREFIX}delete/{name}", DIGITS)
    bucket.delete_object(PREFIX + "delete/1")
    bucket.delete_object(PREFIX + "delete/1")
    rest = [f"{PREFIX}delete/{name}" for name in ("2", "3 &")]
    expect(bucket.batch_delete_objects(rest).deleted_keys, rest)
    expect(list(oss2.ObjectIteratorV2(bucket, prefix=f"{PREFIX}delete/")), [])


@check
def forbid_overwrite() -> None:
    key = PREFIX + "forbidden"
    once = {"x-oss-forbid-overwrite": "true"}
    bucket.delete_object(key)
    bucket.put_object(key, DIGITS, headers=once)
    refused("FileAlreadyExists", lambda: bucket.put_object(key, b"others", headers=once))
    refused("FileAlreadyExists", lambda: bucket.init_multipart_upload(key, headers=once))
    upload_id = begin(key)
    parts = send_parts(key, upload_id)
    refused(
        "FileAlreadyExists", lambda: bucket.complete_multipart_upload(key, upload_id, parts, headers=once)
    )
    bucket.abort_multipart_upload(key, upload_id)
    expect(bucket.get_object(key).read(), DIGITS)


@check
def presigned_get() -> None:
    bucket.put_object(PREFIX + "signed", DIGITS)
    shown = {"response-content-disposition": 'attachment; filename="a b.txt"', "response-content-type": "text/x-a"}
    headers, body = fetch(bucket.sign_url("GET", PREFIX + "signed", 60, params=dict(shown), slash_safe=True))
    expect(body, DIGITS)
    expect([headers["Content-Disposition"], headers["Content-Type"]], list(shown.values()))


@check
def multipart() -> None:
    key = PREFIX + "multipart"
    upload_id = begin(key)
    parts = send_parts(key, upload_id)
    listed = oss2.PartIterator(bucket, key, upload_id, max_parts=2)
    expect([(part.part_number, part.etag, part.size) for part in listed], [(p.part_number, p.etag, p.size) for p in parts])
    # The client combines the checksums of the parts, and compares.
    done = bucket.complete_multipart_upload(key, upload_id, parts)
    got = bucket.get_object(key)
    expect(got.read(), WHOLE)
    expect((got.client_crc, got.server_crc), (done.crc, done.crc))
    expect((got.object_type, got.etag), ("Multipart", done.etag))
    refused("NoSuchUpload", lambda: bucket.complete_multipart_upload(key, upload_id, parts))


@check
def wrong_parts() -> None:
    key = PREFIX + "wrong-parts"
    upload_id = begin(key)
    one, two, three = send_parts(key, upload_id)
    other = PartInfo(2, one.etag, size=two.size, part_crc=one.part_crc)
    refused("InvalidPart", lambda: bucket.complete_multipart_upload(key, upload_id, [one, other]))
    small = bucket.upload_part(key, upload_id, 4, b"x")
    four = PartInfo(4, small.etag, size=1, part_crc=small.crc)
    refused("EntityTooSmall", lambda: bucket.complete_multipart_upload(key, upload_id, [one, two, three, four]))
    bucket.abort_multipart_upload(key, upload_id)


@check
def abort_and_list() -> None:
    key = PREFIX + "aborted +"
    uploads = sorted(begin(key) for _ in range(3))
    listed = oss2.MultipartUploadIterator(bucket, prefix=key, max_uploads=2)
    expect([(upload.key, upload.upload_id) for upload in listed], [(key, upload) for upload in uploads])
    for upload_id in uploads:
        bucket.upload_part(key, upload_id, 1, DIGITS)
        bucket.abort_multipart_upload(key, upload_id)
        refused("NoSuchUpload", lambda upload_id=upload_id: bucket.abort_multipart_upload(key, upload_id))
    expect(list(oss2.MultipartUploadIterator(bucket, prefix=key)), [])


if __name__ == "__main__":
    run(error_code)
