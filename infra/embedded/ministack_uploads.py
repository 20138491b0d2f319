"""Keeps MiniStack's open multipart uploads in files, written before the answer is sent: `kill -9` loses none of them.

Each has a folder with `upload.json`, and for each part `<number>.json`, which names the file with its bytes: a part that is sent again
replaces the older one in one go.
"""

from __future__ import annotations

import json
import mmap
import os
import re
import shutil
from pathlib import Path

from ministack.core.responses import get_account_id
from ministack.services import s3

from patches import replace, require

UPLOAD = "upload.json"
QUOTE = '"'
UPLOAD_ID = re.compile(rb"<UploadId>([^<]+)</UploadId>")


def map_file(path: Path) -> bytes | mmap.mmap:
    """The file's bytes without reading them. An empty file cannot be mapped."""
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def write(path: Path, content: bytes) -> None:
    """A new file each time: a reader may still have the older bytes mapped."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    temporary.write_bytes(content)
    temporary.replace(path)


def write_json(path: Path, value: dict) -> None:
    write(path, json.dumps(value).encode())


def keep_open_uploads(root: Path) -> None:
    def create(original):
        def wrapped(*arguments):
            answer = original(*arguments)
            if answer[0] == 200:
                upload_id = UPLOAD_ID.search(answer[2]).group(1).decode()
                record = s3._multipart_uploads[upload_id]
                write_json(root / upload_id / UPLOAD, {"account": get_account_id(), "record": record})
            return answer

        return wrapped

    def upload_part(original):
        def wrapped(bucket, key, body, query_params, headers):
            answer = original(bucket, key, body, query_params, headers)
            if answer[0] == 200:
                upload_id, number = s3._qp(query_params, "uploadId"), int(s3._qp(query_params, "partNumber"))
                part = s3._multipart_uploads[upload_id]["parts"][number]
                folder = root / upload_id
                about = folder / f"{number}.json"
                older = json.loads(about.read_text())["body"] if about.is_file() else None
                file = f"{number}-{part['etag'].strip(QUOTE)}"
                write(folder / file, body)
                write_json(about, {**part, "body": file})
                if older and older != file:
                    (folder / older).unlink(missing_ok=True)
                part["body"] = map_file(folder / file)
            return answer

        return wrapped

    def closing(original):
        def wrapped(bucket, key, *rest):
            answer = original(bucket, key, *rest)
            query_params = next(r for r in rest if isinstance(r, dict))
            upload_id = s3._qp(query_params, "uploadId")
            if upload_id and upload_id not in s3._multipart_uploads:
                shutil.rmtree(root / upload_id, ignore_errors=True)
            return answer

        return wrapped

    require(s3, "_multipart_uploads", "_qp")
    replace(s3, "_create_multipart_upload", create)
    replace(s3, "_upload_part", upload_part)
    replace(s3, "_complete_multipart_upload", closing)
    replace(s3, "_abort_multipart_upload", closing)
    bring_back(root)


def bring_back(root: Path) -> None:
    """What was open when MiniStack ended. What was being written then was not answered, and goes."""
    for folder in root.iterdir() if root.is_dir() else ():
        if not (folder / UPLOAD).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            continue
        kept = json.loads((folder / UPLOAD).read_text())
        parts = kept["record"]["parts"]
        for about in folder.glob("[0-9]*.json"):
            part = json.loads(about.read_text())
            parts[int(about.stem)] = {**part, "body": map_file(folder / part["body"])}
        s3._multipart_uploads._data[(kept["account"], folder.name)] = kept["record"]
