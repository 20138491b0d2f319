"""Starts MiniStack for Longshore: the stock server with eight changes, another DynamoDB, and an addition.

MiniStack emulates AWS in one Python process. Stock, it is slow, forgetful or wrong in eight places that matter to a
file store, and each is mended here from outside, by replacing a function of its modules:

1. Its runtime API (what the functions poll) writes small answers in two packets and waits 40 ms for Nagle.
2. After each invocation it waits up to 50 ms for a log line.
3. With S3 on disk, a ranged GET reads the whole object first. Here it reads the range from a memory map.
4. Open multipart uploads live in memory only, so a restart loses them. Here they live in files (`ministack_uploads.py`).
5. It takes a queue's MaximumConcurrency from a template parameter as text, then compares it with a number.
6. A connection that the client has closed is kept for 75 seconds, and makes everything slower. Here it is closed.
7. It enforces roles and policies (AUTH), also that nothing may come without TLS, and has no TLS; and it takes SQS's
   batches for actions of their own, which IAM does not know. Here, what comes to 127.0.0.1 counts as if it had come
   over TLS, and a batch needs what each of it does.
8. It writes down what it keeps when it is stopped cleanly, and only then. Here, within a second (`ministack_saving.py`).

DynamoDB is answered by a program of its own: `ministack_dynamodb.py`.

The addition is for tests. A test that runs a function by itself assumes its role for it, as Lambda does: here root may assume any.
And what each role was allowed to do is recorded, so that unused permissions are found.

The names replaced are checked at the start, so that another MiniStack version fails loudly rather than quietly.
Configuration is by environment, as MiniStack documents it; `xtask/src/emulator/ministack.rs` sets it.
"""

from __future__ import annotations

import contextvars
import json
import os
import socketserver
from pathlib import Path

# Before any import of MiniStack: its handler classes take the flag over when they are made.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True

from hypercorn.asyncio.tcp_server import TCPServer  # noqa: E402
from ministack.app import main  # noqa: E402
from ministack.core import iam_actions, iam_evaluator, lambda_runtime  # noqa: E402
from ministack.services import lambda_svc, s3  # noqa: E402

from ministack_dynamodb import forward_dynamodb  # noqa: E402
from ministack_saving import save_what_changes  # noqa: E402
from ministack_uploads import keep_open_uploads, map_file  # noqa: E402
from patches import replace, require  # noqa: E402


def shorten_log_wait() -> None:
    """Late lines are not lost: the next invocation's drain, or the log thread, has them."""

    def make(original):
        return lambda self, first_line_wait=0.003, idle_confirm=0.001, hard_cap=0.05: original(
            self, first_line_wait, idle_confirm, hard_cap
        )

    workers = [c for c in vars(lambda_runtime).values() if "_drain_stderr_bounded" in getattr(c, "__dict__", {})]
    for worker in workers or [lambda_runtime]:
        replace(worker, "_drain_stderr_bounded", make)


def map_ranged_reads() -> None:
    """Only where a slice is certain to be taken: a whole GET must hand `bytes` to the server."""
    ranged = contextvars.ContextVar("ranged", default=False)

    def get_object(original):
        def wrapped(bucket, key, headers, query_params=None):
            token = ranged.set(bool(headers.get("range")))
            try:
                return original(bucket, key, headers, query_params)
            finally:
                ranged.reset(token)

        return wrapped

    def read_body(original):
        def wrapped(bucket, key, obj):
            if ranged.get() and obj.get("body") is None and s3.S3_PERSIST:
                path = s3._object_disk_path(bucket, key)
                if path is not None and os.path.isfile(path):
                    return map_file(Path(path))
            return original(bucket, key, obj)

        return wrapped

    require(s3, "S3_PERSIST", "_object_disk_path")
    replace(s3, "_get_object", get_object)
    replace(s3, "_read_body", read_body)


def read_concurrency_as_a_number() -> None:
    def make(original):
        def wrapped(esm, *rest):
            scaling = esm.get("ScalingConfig") or {}
            if "MaximumConcurrency" in scaling:
                scaling["MaximumConcurrency"] = int(scaling["MaximumConcurrency"])
            return original(esm, *rest)

        return wrapped

    replace(lambda_svc, "_sqs_esm_concurrency", make)


def close_what_clients_closed() -> None:
    def make(original):
        async def wrapped(self):
            await original(self)
            # It waits for the next request, which cannot come.
            await self.idle_task.stop()

        return wrapped

    replace(TCPServer, "_read_data", make)


def enforce_roles_as_aws_does() -> None:
    def condition_key(original):
        return lambda key, context: "true" if key.lower() == "aws:securetransport" else original(key, context)

    def action_of(original):
        def wrapped(*arguments, **named):
            action = original(*arguments, **named)
            return action.removesuffix("Batch") if action and action.startswith("sqs:") else action

        return wrapped

    replace(iam_evaluator, "_resolve_condition_key", condition_key)
    replace(iam_actions, "extract_iam_action", action_of)


def let_root_take_roles() -> None:
    def make(original):
        return lambda document, caller, context=None: caller.endswith(":root") or original(document, caller, context)

    replace(iam_evaluator, "evaluate_trust_policy", make)


def write_down_what_roles_do(path: Path) -> None:
    """Each role, action and resource once, as a line of JSON. The keys of objects are not told apart."""
    done = set()
    path.unlink(missing_ok=True)

    def make(original):
        def wrapped(context, *policies):
            result = original(context, *policies)
            if result.decision == "Allow" and ":assumed-role/" in context.principal_arn:
                resource = context.resource_arn
                if context.action.startswith("s3:") and "/" in resource:
                    # All of Longshore's objects are in one folder, and roles know no other.
                    resource = "/".join(resource.split("/")[:2]) + "/*"
                use = context.principal_arn.split("/")[1], context.action, resource
                if use not in done:
                    done.add(use)
                    with path.open("a") as file:
                        file.write(json.dumps(dict(zip(("role", "action", "resource"), use))) + "\n")
            return result

        return wrapped

    replace(iam_evaluator, "evaluate", make)


if __name__ == "__main__":
    shorten_log_wait()
    forward_dynamodb(Path(os.environ["LONGSHORE_DYNAMODB"]))
    close_what_clients_closed()
    read_concurrency_as_a_number()
    enforce_roles_as_aws_does()
    let_root_take_roles()
    write_down_what_roles_do(Path(os.environ["LONGSHORE_ROLES_FILE"]))
    map_ranged_reads()
    keep_open_uploads(Path(os.environ["LONGSHORE_PARTS_DIR"]))
    save_what_changes()
    main()
