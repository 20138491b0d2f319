"""Has MiniStack write down what it keeps within a second of each change, and not only when it is stopped cleanly.

So that `kill -9` loses nothing that was answered before that second. Items of DynamoDB, objects of S3 and parts of open uploads are not
kept here: they are in files before the answer is sent. Log lines are still written at the end only: nobody was promised them.
"""

from __future__ import annotations

import asyncio
import json
import os
import re

from ministack import app
from ministack.core import persistence
from ministack.services import cloudformation, lambda_svc, sqs

from patches import replace, require

# Half of what is promised.
SECONDS = 0.5
# What each log line and each alarm changes.
AT_THE_END = {"cloudwatch", "cloudwatch_logs"}
# A request to CloudFormation that changes nothing.
LOOKS = re.compile(rb"\bAction=(Describe|Get|List|Validate)")


class Saver:
    """Saves services by the names of their files."""

    def __init__(self) -> None:
        # Items that an older state had have been handed over: it must not have them any more.
        self.changed = {"dynamodb"}
        self.written: dict[str, str] = {}

    async def run(self) -> None:
        while True:
            await asyncio.sleep(SECONDS)
            if "cloudformation" in self.changed:
                if under_way():
                    # What is half done is not worth coming back: the state of before is, or nothing.
                    continue
                self.changed |= set(app._build_persistence_save_dict()) - AT_THE_END
            changed, self.changed = self.changed, set()
            # CloudFormation last: what it says is deployed has to be there.
            for service in sorted(changed - {"cloudformation"}):
                self.try_to_save(service)
            if "cloudformation" in changed:
                if self.changed:
                    self.changed.add("cloudformation")
                else:
                    self.try_to_save("cloudformation")

    def try_to_save(self, service: str) -> None:
        try:
            self.save(service)
        except Exception as error:
            # It changed in another thread while it was being copied, or the disk is full.
            app.logger.warning("%s is saved later: %s", service, error)
            self.changed.add(service)

    def save(self, service: str) -> None:
        get_state = app._build_persistence_save_dict().get(service)
        state = get_state() if get_state else None
        if state is None:
            return
        version = persistence._state_format_version(service)
        text = json.dumps({"__ministack_format__": version, "payload": state}, default=persistence._json_default)
        if self.written.get(service) == text:
            return
        path = os.path.join(persistence.STATE_DIR, f"{service}.json")
        with open(path + ".tmp", "w") as file:
            file.write(text)
        os.replace(path + ".tmp", path)
        self.written[service] = text


def under_way() -> bool:
    """Whether CloudFormation is at work."""
    stacks = cloudformation._stacks.all_items()
    return any(stack["StackStatus"].endswith("_IN_PROGRESS") for _, stack in stacks)


def may_change(service: str, method: str, path: str, headers: dict, body: bytes) -> bool:
    """Whether a request may change what a service keeps here. Those that come all the time and do not are left out."""
    target = headers.get("x-amz-target", "")
    if method == "GET":
        return False
    if service == "s3":
        # Objects and uploads are in files: only buckets are left.
        return "/" not in path.strip("/")
    if service == "dynamodb":
        return any(word in target for word in ("Table", "Time", "Tag", "Backups"))
    if service == "cloudformation":
        return not LOOKS.search(body)
    return not path.endswith("/invocations")


def notice_requests(saver: Saver) -> None:
    def noticing(service: str, handler):
        registered = app.SERVICE_REGISTRY[service]
        module = registered["module"]
        files = {registered.get("state_key", module), *registered.get("sub_modules", ())} - AT_THE_END

        async def handle(method, path, headers, body, query_params):
            try:
                return await handler(method, path, headers, body, query_params)
            finally:
                if may_change(service, method, path, headers, body):
                    saver.changed |= files

        return handle

    require(app, "SERVICE_HANDLERS", "SERVICE_REGISTRY", "_build_persistence_save_dict")
    for service, handler in app.SERVICE_HANDLERS.items():
        app.SERVICE_HANDLERS[service] = noticing(service, handler)


def notice_messages(saver: Saver) -> None:
    """Those that are received and deleted by what invokes functions, which does not come by HTTP."""

    def make(original):
        def wrapped(*arguments):
            result = original(*arguments)
            if result is None or result:
                saver.changed.add("sqs")
            return result

        return wrapped

    require(lambda_svc, "_poll_sqs")
    replace(sqs, "_receive_messages_for_esm", make)
    replace(sqs, "_delete_messages_for_esm", make)


def copy_queues_alone() -> None:
    """Threads receive and delete messages while the queues are copied."""

    def make(original):
        def wrapped():
            with sqs._queues_lock:
                return original()

        return wrapped

    require(sqs, "_queues_lock")
    replace(sqs, "get_state", make)


def save_what_changes() -> None:
    saver = Saver()
    notice_requests(saver)
    notice_messages(saver)
    copy_queues_alone()

    def make(original):
        async def wrapped():
            # The loop keeps no task alive by itself.
            saver.task = asyncio.create_task(saver.run())
            await original()

        return wrapped

    require(persistence, "STATE_DIR", "_json_default", "_state_format_version")
    require(cloudformation, "_stacks")
    replace(app, "_run_ready_scripts", make)
