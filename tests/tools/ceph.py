"""What the tests look at in Ceph, with boto3 and nothing of Longshore's. The answer is JSON on standard output.

    ceph.py get <key> <file>         download an object
    ceph.py put <key> <file>         replace an object
    ceph.py delete <key>             delete an object
    ceph.py multipart-uploads <key>  ids of the multipart uploads under way, of keys that begin so
    ceph.py list                     the sizes of all objects, by key
    ceph.py has <key>                whether there is an object
    ceph.py make-bucket <name>       a further bucket

Where it is and how to sign in is in the file that LONGSHORE_CEPH names.
"""

import json
import os
import sys

import boto3
from botocore.config import Config


def main() -> None:
    with open(os.environ["LONGSHORE_CEPH"]) as file:
        ceph = json.load(file)
    s3 = boto3.client(
        "s3",
        endpoint_url=ceph["endpoint"],
        region_name="us-east-1",
        aws_access_key_id=ceph["access_key_id"],
        aws_secret_access_key=ceph["secret_access_key"],
        config=Config(s3={"addressing_style": "path"}, response_checksum_validation="when_required"),
    )
    bucket = ceph["bucket"]
    match sys.argv[1:]:
        case ["get", key, path]:
            s3.download_file(bucket, key, path)
            answer = None
        case ["put", key, path]:
            s3.upload_file(path, bucket, key)
            answer = None
        case ["delete", key]:
            s3.delete_object(Bucket=bucket, Key=key)
            answer = None
        case ["multipart-uploads", key]:
            pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=key)
            answer = [upload["UploadId"] for page in pages for upload in page.get("Uploads", ())]
        case ["list"]:
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
            answer = {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", ())}
        case ["has", key]:
            listed = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
            answer = [item["Key"] for item in listed.get("Contents", ())] == [key]
        case ["make-bucket", name]:
            s3.create_bucket(Bucket=name)
            answer = None
        case _:
            sys.exit(__doc__)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
