"""Removes what the end-to-end tests made in a deployed stack: accounts, files, uploads, blobs and their replicas.

As their owners would, through the API; then what only time would end (the grace period of blobs without files, the
trace of ended uploads) is ended now. Leaves every other account alone, and a blob that another account shares. Says
what it removed, and fails if something is left; running it again goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
from boto3.dynamodb.conditions import Key
from botocore.config import Config
from botocore.exceptions import ClientError

# The password of every account that the tests make; see tests/e2e/harness/person.rs.
PASSWORD = "correct horse battery"
# How long that may take which is still under way: replicas, and uploads that were being finalized.
PATIENCE_SECONDS = 300
LONG_AGO = 1_577_836_800


class Api:
    """The API as one of the accounts sees it."""

    def __init__(self, url: str, username: str) -> None:
        self.url, self.token = url, None
        session = self.call("POST", "/sessions", {"username": username, "password": PASSWORD})
        self.token = session["access_token"]

    def call(self, method: str, path: str, body: dict | None = None) -> dict:
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = json.dumps(body).encode() if body is not None else None
        with urlopen(Request(f"{self.url}/v1{path}", data, headers, method=method), timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else {}

    def every(self, path: str) -> list[dict]:
        found, cursor = [], ""
        while cursor is not None:
            page = self.call("GET", f"{path}{'&' if '?' in path else '?'}limit=100{cursor}")
            found += page["items"]
            cursor = f"&cursor={page['next_cursor']}" if page.get("next_cursor") else None
        return found

    def remove_everything(self, folder: str | None = None) -> None:
        if folder is None:
            for upload in self.every("/uploads"):
                if upload["state"] == "open":
                    self.call("DELETE", f"/uploads/{upload['id']}")
        for node in self.every("/files" + (f"?parent={folder}" if folder else "")):
            if node["kind"] == "folder":
                self.remove_everything(node["id"])
            self.call("DELETE", f"/files/{node['id']}")


class Stack:
    """What is behind the API."""

    def __init__(self, about: dict) -> None:
        def connection() -> dict:
            return {"region_name": about["region"], "endpoint_url": about["endpoint"] or None}

        self.about = about
        self.table = boto3.resource("dynamodb", **connection()).Table(about["table"])
        self.s3 = boto3.client("s3", **connection())
        # A sweep may take five minutes, and need not be asked for twice.
        patient = Config(read_timeout=310, retries={"max_attempts": 0})
        self.functions = boto3.client("lambda", config=patient, **connection())

    def items(self, pk: str) -> list[dict]:
        found, start = [], {}
        while start is not None:
            page = self.table.query(KeyConditionExpression=Key("pk").eq(pk), ConsistentRead=True, **start)
            found += page["Items"]
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]} if "LastEvaluatedKey" in page else None
        return found

    def blob(self, blob: str) -> dict | None:
        return next((item for item in self.items(f"BLOB#{blob}") if item["sk"] == "BLOB"), None)

    def sweep(self) -> None:
        answer = self.functions.invoke(
            FunctionName=self.about["functions"]["sweep"], Payload=b'{"source": "aws.events"}'
        )
        if "FunctionError" in answer:
            print(f"a sweep failed: {answer['Payload'].read().decode(errors='replace')}")

    def discard(self, blob: str) -> None:
        """What an upload left at the store that never became a blob."""
        key = f"blobs/{blob}"
        listed = self.s3.list_multipart_uploads(Bucket=self.about["bucket"], Prefix=key)
        for upload in listed.get("Uploads", ()):
            self.s3.abort_multipart_upload(Bucket=self.about["bucket"], Key=key, UploadId=upload["UploadId"])
        self.s3.delete_object(Bucket=self.about["bucket"], Key=key)

    def has_object(self, blob: str) -> bool:
        listed = self.s3.list_objects_v2(Bucket=self.about["bucket"], Prefix=f"blobs/{blob}")
        return bool(listed.get("KeyCount"))

    def make_due(self, item: dict) -> None:
        """Has the next sweep look at it, unless it came to an end meanwhile."""
        try:
            self.table.update_item(
                Key={"pk": item["pk"], "sk": item["sk"]},
                UpdateExpression="SET due_at = :now",
                ConditionExpression="attribute_exists(pk) AND attribute_exists(due_shard)",
                ExpressionAttributeValues={":now": LONG_AGO},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise

    def unsettled(self, blob: str) -> list[dict]:
        """Its replicas that a worker may be at."""
        replicas = (item for item in self.items(f"BLOB#{blob}") if item["sk"].startswith("REPLICA#"))
        return [replica for replica in replicas if replica["state"] not in ("available", "failed")]

    def reclaim(self, blobs: set[str]) -> set[str]:
        """Reclaims those that no file refers to. Gives what is left of them."""
        end = time.monotonic() + PATIENCE_SECONDS
        left = {blob for blob in blobs if (item := self.blob(blob)) and not item["references"]}
        # Tests lose messages on purpose; what waits for one is sent another.
        for blob in left:
            for replica in self.unsettled(blob):
                self.make_due(replica)
        while left and time.monotonic() < end:
            self.sweep()
            for blob in left:
                item = self.blob(blob)
                if item and not self.unsettled(blob):
                    self.make_due(item)
            left = {blob for blob in left if self.blob(blob)}
            time.sleep(1)
        return left


def clean(stack: Stack, usernames: list[str]) -> list[str]:
    """Removes what can be removed now. Gives what is left."""
    accounts, blobs, unborn, left = {}, set(), set(), []
    for username in usernames:
        owner = next(iter(stack.items(f"USERNAME#{username.lower()}")), None)
        if owner is None:
            # Never made, a test only wanted to see it refused; or removed before.
            continue
        try:
            api = Api(stack.about["api_url"], username)
        except OSError as error:
            # Perhaps somebody else's: then nothing of it is touched.
            left.append(f"account {username} (signing in: {error})")
            continue
        accounts[username] = f"ACCOUNT#{owner['account']}"
        items = stack.items(accounts[username])
        uploads = [item for item in items if item["sk"].startswith("UPLOAD#")]
        for upload in uploads:
            if upload["state"] == "finalizing":
                # It becomes a file as soon as the sweep may take it over.
                stack.make_due(upload)
                left.append(f"upload {upload['id']} of {username}")
        blobs |= {item["file"]["blob"] for item in items if item["sk"].startswith("NODE#") and item.get("file")}
        unborn |= {upload["blob"] for upload in uploads if upload["state"] != "finalizing"}
        try:
            api.remove_everything()
        except OSError as error:
            # What cannot be removed this way is found again below.
            said = error.read().decode(errors="replace") if isinstance(error, HTTPError) else ""
            print(f"{username}: {error} {said}")
    blobs |= {blob for blob in unborn if stack.blob(blob)}
    left += [f"blob {blob}" for blob in stack.reclaim(blobs)]
    for blob in unborn - blobs:
        stack.discard(blob)
    shared = {blob for blob in blobs if stack.blob(blob)}
    left += [f"object blobs/{blob}" for blob in (blobs | unborn) - shared if stack.has_object(blob)]
    for username, account in accounts.items():
        items = stack.items(account)
        files = [item for item in items if item["sk"].startswith("NODE#")]
        if files:
            left.append(f"{len(files)} files of {username}")
        if files or any(item.get("state") == "finalizing" for item in items):
            continue
        with stack.table.batch_writer() as batch:
            for item in items:
                batch.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})
            batch.delete_item(Key={"pk": f"USERNAME#{username.lower()}", "sk": "USERNAME"})
    print(f"removed {len(accounts)} accounts and {len(blobs - shared)} blobs, {len(left)} things left")
    return left


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--stack", type=Path, required=True)
    parser.add_argument("--accounts", type=Path, required=True, help="a file with a username per line")
    args = parser.parse_args()
    stack = Stack(json.loads(args.stack.read_text()))
    usernames = sorted(set(args.accounts.read_text().split()))
    end = time.monotonic() + PATIENCE_SECONDS
    while left := clean(stack, usernames):
        if time.monotonic() > end:
            sys.exit("left behind: " + ", ".join(sorted(left)))
        # What an interrupted run was finalizing has a lease that must run out first.
        stack.sweep()
        time.sleep(5)


if __name__ == "__main__":
    main()
