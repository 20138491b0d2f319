"""What the suites of both Python clients have in common: where the server is, the data, and how checks are run.

A suite runs every check against the server that the environment names (OSS_ENDPOINT, OSS_BUCKET, OSS_REGION,
OSS_ACCESS_KEY_ID, OSS_SECRET_ACCESS_KEY, OSS_SECURITY_TOKEN, OSS_CNAME for an endpoint that is a custom domain) and
prints JSON: for each check "ok", or OSS's error code, or what else went wrong. Arguments, if any, name the checks to run.
"""

import base64
import hashlib
import json
import os
import sys
from collections.abc import Callable
from email.message import Message
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from xml.etree import ElementTree

ENDPOINT = os.environ["OSS_ENDPOINT"]
BUCKET = os.environ["OSS_BUCKET"]
REGION = os.environ["OSS_REGION"]
ACCESS_KEY_ID = os.environ["OSS_ACCESS_KEY_ID"]
SECRET_ACCESS_KEY = os.environ["OSS_SECRET_ACCESS_KEY"]
SECURITY_TOKEN = os.environ.get("OSS_SECURITY_TOKEN")
CNAME = bool(os.environ.get("OSS_CNAME"))

DIGITS = b"123456789"
DIGITS_CRC64 = 11051210869376104954
UNICODE_KEY = "Äpfel & Birnen/北京 +%20?#=~'\"<>/emoji 🚢.txt"
# The smallest parts that there may be, and a last one that may be smaller.
PARTS = [bytes([number]) * size for number, size in ((1, 102400), (2, 102401), (3, 5))]
WHOLE = b"".join(PARTS)

CHECKS: dict[str, Callable[[], None]] = {}


class Refused(Exception):
    """OSS refused a request that no client made: one to a presigned URL."""


def check(function: Callable[[], None]) -> Callable[[], None]:
    CHECKS[function.__name__] = function
    return function


def expect(there: object, wanted: object) -> None:
    if there != wanted:
        raise AssertionError(f"{there!r:.100} instead of {wanted!r:.100}")


def md5_of(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data).digest()).decode()


def fetch(url: str) -> tuple[Message, bytes]:
    """What a browser gets."""
    try:
        with urlopen(Request(url)) as answer:
            return answer.headers, answer.read()
    except HTTPError as error:
        raise Refused(ElementTree.fromstring(error.read()).findtext("Code")) from error


def run(error_code: Callable[[Exception], str | None]) -> None:
    """Runs the checks. `error_code` tells OSS's refusals from other errors."""
    outcomes = {}
    for name in sys.argv[1:] or CHECKS:
        try:
            CHECKS[name]()
            outcomes[name] = "ok"
        except Refused as error:
            outcomes[name] = str(error)
        except Exception as error:
            outcomes[name] = error_code(error) or f"{type(error).__name__}: {error}"
    print(json.dumps(outcomes))


def expect_refusal(code: str, error_code: Callable[[Exception], str | None], action: Callable[[], object]) -> None:
    """The action must be refused with this code. Another refusal is passed on."""
    try:
        action()
    except Exception as error:
        if error_code(error) != code:
            raise
        return
    raise AssertionError(f"not refused with {code}")
