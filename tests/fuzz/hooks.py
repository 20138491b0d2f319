"""What schemathesis has to know of Longshore: how to sign in, and ids of things that are there.

Without these it would only ever be told 401 and 404. `cargo xtask fuzz` says which stack it is.
"""

import base64
import hashlib
import itertools
import json
import os
import threading
import time
import zlib
from pathlib import Path

import boto3
import requests
import schemathesis

STACK = json.loads(Path(os.environ["LONGSHORE_STACK"]).read_text())
API = STACK["api_url"]

# After these nobody is signed in any more: each gets a session of its own.
ENDING = {"DELETE /v1/sessions/current", "DELETE /v1/sessions"}
# How many calls use the same things, before there are new ones: some calls delete them.
USES = 20

numbers = itertools.count()
local = threading.local()


def call(method: str, path: str, body: dict | None, token: str | None = None) -> dict:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = requests.request(method, f"{API}{path}", json=body, headers=headers, timeout=60)
    answer.raise_for_status()
    return answer.json() if answer.content else {}


def sign_in(credentials: dict) -> str:
    return call("POST", "/v1/sessions", credentials)["access_token"]


def somebody() -> dict:
    credentials = {"username": f"fuzz-{os.getpid()}-{next(numbers)}", "password": "correct horse battery"}
    call("POST", "/v1/accounts", credentials)
    return credentials


def operator() -> dict:
    """Somebody whom an administrator made an operator: no API does that."""
    credentials = somebody()
    functions = boto3.client(
        "lambda",
        endpoint_url=STACK["endpoint"],
        region_name=STACK["region"],
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    payload = {"username": credentials["username"], "role": "operator"}
    functions.invoke(FunctionName=STACK["functions"]["account-set-role"], Payload=json.dumps(payload))
    assert call("GET", "/v1/account", None, sign_in(credentials))["role"] == "operator"
    return credentials


OPERATOR = operator()
TARGET = call("GET", "/v1/targets", None, sign_in(OPERATOR))["items"][0]["name"]


# Below the fifteen minutes that an access token lives.
@schemathesis.auth(refresh_interval=300)
class Operator:
    def get(self, case, context):
        return sign_in(OPERATOR)

    def set(self, case, data, context):
        if case.operation.label in ENDING:
            if not hasattr(local, "leaver"):
                local.leaver = somebody()
            data = sign_in(local.leaver)
        case.headers["Authorization"] = f"Bearer {data}"


def session() -> str:
    """A session that nothing else uses: calls may end it."""
    sessions = call("GET", "/v1/sessions", None, sign_in(OPERATOR))["items"]
    return next(session["id"] for session in sessions if session["current"])


def file(name: str, token: str, data: bytes = b"12345") -> str:
    """A file with these bytes; it has them instead of others if it is there already."""
    wanted = {"name": f"file {name}", "size": len(data), "on_conflict": "replace"}
    upload = call("POST", "/v1/uploads", wanted, token)["id"]
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    parts = {"parts": [{"number": 1, "sha256": digest}]}
    part = call("POST", f"/v1/uploads/{upload}/parts", parts, token)["parts"][0]
    requests.put(part["url"], data=data, headers=part["headers"], timeout=60).raise_for_status()
    while "file" not in (answer := call("POST", f"/v1/uploads/{upload}/complete", None, token)):
        time.sleep(0.1)
    return answer["file"]["id"]


def version(name: str, token: str) -> str:
    """A version of a file."""
    name = f"with a version {name}"
    file(name, token)
    return file(name, token, b"others") + ".1"


def trashed(name: str, token: str) -> str:
    """A folder in the trash."""
    folder = call("POST", "/v1/folders", {"name": f"trashed {name}"}, token)["id"]
    call("DELETE", f"/v1/files/{folder}", None, token)
    return folder


def things() -> dict:
    """Ids of one of each, the same ones for a while."""
    local.uses = getattr(local, "uses", 0)
    if local.uses % USES == 0:
        if local.uses % 1000 == 0:
            local.token = sign_in(OPERATOR)
        name = f"{os.getpid()}-{next(numbers)}"
        made = lambda path, body: call("POST", path, body, local.token)["id"]
        local.things = {
            "/v1/uploads": made("/v1/uploads", {"name": f"upload {name}", "size": 5}),
            "/v1/files": file(name, local.token),
            "/v1/versions": version(name, local.token),
            "/v1/trash": trashed(name, local.token),
            "/v1/tokens": made("/v1/tokens", {"name": name, "scopes": ["read"], "expires_in_days": 1}),
            "/v1/sessions": session(),
            "/v1/targets": TARGET,
        }
    local.uses += 1
    return local.things


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Every other id is one of something that is there."""
    if path_parameters and "id" in path_parameters:
        given = str(path_parameters["id"])
        if zlib.crc32(given.encode("utf-8", "replace")) % 2 == 0:
            kind = "/".join(context.operation.path.split("/")[:3])
            path_parameters["id"] = things()[kind]
    return path_parameters
