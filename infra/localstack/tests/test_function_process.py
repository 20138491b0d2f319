"""The process executor without LocalStack: real processes, real HTTP.

Run by `cargo xtask test`, or: `.longshore/venv-localstack/bin/python -m unittest discover infra/localstack/tests`
"""

import json
import os
import signal
import sys
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from longshore_localstack.function_process import FunctionProcess, StartFailed

# A function in Python: says its environment, echoes its event, and does what the event asks for.
BOOTSTRAP = """#!{python}
import http.client, json, os, sys, time
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
BASE = "/2018-06-01/runtime"

def call(method, path, body=None, **more):
    api.request(method, BASE + path, body, **more)
    answer = api.getresponse()
    return answer, answer.read()

if os.environ.get("BROKEN") == "says so":
    call("POST", "/init/error", json.dumps({{"errorType": "Extension.Crash", "errorMessage": "no luck"}}))
    sys.exit(1)
if os.environ.get("BROKEN") == "silently":
    print("last words", flush=True)
    sys.exit(3)
while True:
    head, event = call("GET", "/invocation/next")
    event = json.loads(event)
    request = head.headers["Lambda-Runtime-Aws-Request-Id"]
    print("handling", event.get("name"), flush=True)
    if "sleep" in event:
        time.sleep(event["sleep"])
    if "exit" in event:
        sys.exit(event["exit"])
    if "kill" in event:
        os.kill(os.getpid(), event["kill"])
    if "fail" in event:
        call("POST", "/invocation/" + request + "/error", json.dumps({{"errorType": "E", "errorMessage": event["fail"]}}))
        continue
    answer = dict(event, pid=os.getpid(), greeting=os.environ.get("GREETING"),
                  deadline=int(head.headers["Lambda-Runtime-Deadline-Ms"]),
                  arn=head.headers["Lambda-Runtime-Invoked-Function-Arn"])
    body = json.dumps(answer).encode()
    chunks = (body[i:i + 7] for i in range(0, len(body), 7)) if "chunked" in event else body
    call("POST", "/invocation/" + request + "/response", chunks, encode_chunked="chunked" in event)
"""


class FunctionProcessTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.code = Path(folder.name)
        bootstrap = self.code / "bootstrap"
        bootstrap.write_text(BOOTSTRAP.format(python=sys.executable))
        bootstrap.chmod(0o755)
        self.count = 0

    def function(self, **environment: str) -> FunctionProcess:
        process = FunctionProcess(self.code, {"GREETING": "hello", "PATH": os.environ["PATH"], **environment})
        self.addCleanup(process.stop)
        return process

    def invoke(self, process: FunctionProcess, event: str, seconds: int = 10):
        self.count += 1
        return process.invoke(f"request-{self.count}", "arn:f", "Root=1", event.encode(), seconds)

    def answer(self, process: FunctionProcess, event: str) -> dict:
        outcome = self.invoke(process, event)
        self.assertFalse(outcome.is_error, outcome)
        return json.loads(outcome.payload)

    def test_one_process_answers_event_after_event(self) -> None:
        process = self.function()
        process.start()
        before = time.time()
        first = self.answer(process, '{"name": "a"}')
        second = self.answer(process, '{"name": "b", "chunked": 1}')
        self.assertEqual((first["name"], second["name"]), ("a", "b"))
        self.assertEqual(first["pid"], second["pid"])
        self.assertEqual((first["greeting"], first["arn"]), ("hello", "arn:f"))
        self.assertAlmostEqual(first["deadline"] / 1000, before + 10, delta=2)

    def test_the_log_is_that_of_the_invocation(self) -> None:
        process = self.function()
        process.start()
        log = self.invoke(process, '{"name": "a", "sleep": 0.1}').log
        self.assertRegex(log, r"\ASTART RequestId: request-1 .*\nhandling a\nEND RequestId: request-1\nREPORT ")
        self.assertNotIn("handling a", self.invoke(process, '{"name": "b", "sleep": 0.1}').log)

    def test_an_error_is_passed_on(self) -> None:
        process = self.function()
        process.start()
        outcome = self.invoke(process, '{"fail": "bad luck"}')
        self.assertTrue(outcome.is_error)
        self.assertIn(b"bad luck", outcome.payload)
        self.answer(process, "{}")

    def test_what_takes_too_long_is_ended(self) -> None:
        process = self.function()
        process.start()
        pid = self.answer(process, "{}")["pid"]
        outcome = self.invoke(process, '{"sleep": 60}', seconds=1)
        self.assertTrue(outcome.is_error)
        self.assertIn(b"Task timed out after 1.00 seconds", outcome.payload)
        self.assertRaises(ProcessLookupError, os.kill, pid, 0)
        self.assertNotEqual(self.answer(process, "{}")["pid"], pid)

    def test_a_process_that_ends_is_an_error_and_the_next_event_gets_a_new_one(self) -> None:
        process = self.function()
        process.start()
        for event, words in [('{"exit": 7}', b"exit status 7"), ('{"kill": 9}', b"signal: 9")]:
            outcome = self.invoke(process, event)
            self.assertTrue(outcome.is_error)
            self.assertIn(b"Runtime.ExitError", outcome.payload)
            self.assertIn(words, outcome.payload)
            self.answer(process, "{}")
        # While nobody asks anything of it.
        os.kill(self.answer(process, "{}")["pid"], signal.SIGKILL)
        time.sleep(0.5)
        self.answer(process, "{}")

    def test_a_function_that_cannot_start_says_why(self) -> None:
        for broken, words in [("says so", b"no luck"), ("silently", b"exit status 3")]:
            process = self.function(BROKEN=broken)
            with self.assertRaises(StartFailed) as caught:
                process.start()
            self.assertIn(words, caught.exception.args[0])
        self.assertIn("last words", process.log())
        (self.code / "bootstrap").chmod(0o644)
        with self.assertRaises(StartFailed) as caught:
            self.function().start()
        self.assertIn(b"Runtime.InvalidEntrypoint", caught.exception.args[0])

    def test_stopping_ends_whatever_it_is_doing(self) -> None:
        process = self.function()
        process.start()
        with ThreadPoolExecutor() as pool:
            busy = pool.submit(self.invoke, process, '{"sleep": 60}')
            time.sleep(0.3)
            process.stop()
            self.assertTrue(busy.result(timeout=10).is_error)

    def test_what_was_stopped_is_never_started_again(self) -> None:
        process = self.function()
        process.start()
        with ThreadPoolExecutor() as pool:
            for stopped in [pool.submit(process.stop) for _ in range(4)]:
                stopped.result(timeout=10)
        for again in (process.start, lambda: self.invoke(process, "{}")):
            with self.assertRaises(StartFailed) as caught:
                again()
            self.assertIn(b"was stopped", caught.exception.args[0])


if __name__ == "__main__":
    unittest.main()
