"""Reads with an official client what somebody else wrote to OSS. The answer is JSON on standard output.

    read.py oss2|v2 get <key> <file>     download an object; the client verifies its checksum
    read.py oss2|v2 head <key>           size, crc64 and etag of an object, null if there is none
    read.py oss2|v2 list [<prefix>]      keys
    read.py oss2|v2 multiparts [<prefix>]  key and upload_id of each multipart upload that is under way

Where the server is, is in the environment: see checks.py.
"""

import json
import sys


class WithOss2:
    def __init__(self) -> None:
        import oss2
        import with_oss2

        self.oss2 = oss2
        self.bucket = with_oss2.bucket

    def get(self, key: str, path: str) -> None:
        got = self.bucket.get_object_to_file(key, path)
        if got.client_crc != got.server_crc:
            sys.exit(f"{got.client_crc} instead of {got.server_crc}")

    def head(self, key: str) -> dict | None:
        try:
            about = self.bucket.head_object(key)
        except self.oss2.exceptions.NotFound as error:
            if error.code == "NoSuchKey":
                return None
            raise
        return {"size": about.content_length, "crc64": str(about.server_crc), "etag": about.etag}

    def keys(self, prefix: str = "") -> list[str]:
        return [item.key for item in self.oss2.ObjectIteratorV2(self.bucket, prefix=prefix, max_keys=1000)]

    def multiparts(self, prefix: str = "") -> list[dict]:
        uploads = self.oss2.MultipartUploadIterator(self.bucket, prefix=prefix)
        return [{"key": upload.key, "upload_id": upload.upload_id} for upload in uploads]


class WithOssV2:
    def __init__(self) -> None:
        import alibabacloud_oss_v2
        import with_oss_v2
        from checks import BUCKET

        self.oss = alibabacloud_oss_v2
        self.error_code = with_oss_v2.error_code
        self.client = with_oss_v2.client
        self.bucket = BUCKET

    def get(self, key: str, path: str) -> None:
        # Compares checksums itself, and tries once less than it is told to: told to try once, it would not try at all.
        self.client.get_object_to_file(self.oss.GetObjectRequest(bucket=self.bucket, key=key), path)

    def head(self, key: str) -> dict | None:
        try:
            about = self.client.head_object(self.oss.HeadObjectRequest(bucket=self.bucket, key=key))
        except self.oss.exceptions.OperationError as error:
            if self.error_code(error) == "NoSuchKey":
                return None
            raise
        return {"size": about.content_length, "crc64": about.hash_crc64, "etag": about.etag.strip('"')}

    def keys(self, prefix: str = "") -> list[str]:
        request = self.oss.ListObjectsV2Request(bucket=self.bucket, prefix=prefix, max_keys=1000)
        pages = self.client.list_objects_v2_paginator().iter_page(request)
        return [item.key for page in pages for item in page.contents or ()]

    def multiparts(self, prefix: str = "") -> list[dict]:
        request = self.oss.ListMultipartUploadsRequest(bucket=self.bucket, prefix=prefix)
        pages = self.client.list_multipart_uploads_paginator().iter_page(request)
        uploads = [upload for page in pages for upload in page.uploads or ()]
        return [{"key": upload.key, "upload_id": upload.upload_id} for upload in uploads]


CLIENTS = {"oss2": WithOss2, "v2": WithOssV2}


def main() -> None:
    match sys.argv[1:]:
        case [("oss2" | "v2") as name, ("get" | "head" | "list" | "multiparts") as what, *rest]:
            client = CLIENTS[name]()
            action = {"get": client.get, "head": client.head, "list": client.keys, "multiparts": client.multiparts}
            answer = action[what](*rest)
        case _:
            sys.exit(__doc__)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
