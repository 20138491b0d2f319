"""A function as a process: the `bootstrap` of its package, kept warm between events, ended when it takes too long."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as OutOfTime
from dataclasses import dataclass
from pathlib import Path

from .runtime_api import InitError, Invocation, RuntimeApi

# How long a function may take until it asks for its first event, as on Lambda.
INIT_SECONDS = 10
LOG_LINES = 2000


@dataclass
class Outcome:
    """The result of an event: the answer or the error document, and the log of the invocation."""

    payload: bytes
    is_error: bool
    log: str


class StartFailed(Exception):
    """The function did not start; the argument is the error document, as JSON bytes."""


class FunctionProcess:
    """One execution environment. It handles one event at a time, like those of Lambda."""

    def __init__(self, code: Path, environment: dict[str, str]) -> None:
        self._code = code
        self._environment = environment
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._stopped = False
        self._log: list[str] = []

    def start(self) -> None:
        """Starts the process and waits until it asks for events; raises `StartFailed`."""
        with self._lock:
            if self._stopped:
                raise StartFailed(document("Runtime.ExitError", "the environment was stopped"))
            if self._running:
                self._running.end()
                self._running = None
            try:
                running = self._running = _Running(self._code, self._environment, self._log)
            except OSError as error:
                raise StartFailed(document("Runtime.InvalidEntrypoint", str(error))) from error
        try:
            running.wait(running.api.started, INIT_SECONDS)
        except InitError as error:
            raise StartFailed(error.args[0]) from error
        except OutOfTime as error:
            raise StartFailed(document("Sandbox.Timedout", f"no start within {INIT_SECONDS} seconds")) from error
        except _Ended as error:
            raise StartFailed(document("Runtime.ExitError", f"Runtime exited: {error}")) from error

    def stop(self) -> None:
        """Ends the process at once, for good. It keeps nothing that would need saving."""
        with self._lock:
            self._stopped = True
            running, self._running = self._running, None
        if running:
            running.end()

    def invoke(self, request_id: str, arn: str, trace_id: str, payload: bytes, seconds: int) -> Outcome:
        """Hands an event over and waits for the answer. A process that died is restarted first."""
        running = self._running
        if running is None or running.process.poll() is not None:
            self.start()
            running = self._running
        if running is None:
            raise StartFailed(document("Runtime.ExitError", "the environment was stopped"))
        began = time.time()
        invocation = Invocation(request_id, arn, trace_id, int((began + seconds) * 1000), payload)
        running.api.events.put(invocation)
        try:
            answer, is_error = running.wait(invocation.answer, seconds)
            # Its lines come by another channel than its answer, and may arrive shortly after it.
            time.sleep(0.001)
        except OutOfTime:
            running.end()
            words = f"{request_id} Task timed out after {seconds:.2f} seconds"
            answer, is_error = document("Sandbox.Timedout", words), True
        except _Ended as error:
            running.end()
            words = f"RequestId: {request_id} Error: Runtime exited: {error}"
            answer, is_error = document("Runtime.ExitError", words), True
        milliseconds = (time.time() - began) * 1000
        return Outcome(answer, is_error, self._report(request_id, milliseconds))

    def log(self) -> str:
        """What the process has written since the last event."""
        return "\n".join(self._log)

    def _report(self, request_id: str, milliseconds: float) -> str:
        lines = self._log.copy()
        del self._log[: len(lines)]
        frame = (f"START RequestId: {request_id} Version: $LATEST", f"END RequestId: {request_id}")
        report = f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms"
        return "\n".join([frame[0], *lines, frame[1], report])


class _Running:
    """A process with its Runtime API. What it writes is added to `log`."""

    def __init__(self, code: Path, environment: dict[str, str], log: list[str]) -> None:
        self.api = RuntimeApi()
        try:
            self.process = subprocess.Popen(
                [str(code / "bootstrap")],
                cwd=code,
                env={**environment, "AWS_LAMBDA_RUNTIME_API": self.api.address},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except OSError:
            self.api.close()
            raise
        self._reader = threading.Thread(target=self._read, args=(log,), daemon=True)
        self._reader.start()
        self._ending = threading.Lock()
        self._ended = False

    def wait(self, answer: Future, seconds: float):
        """The result of a promise, or why there will be none."""
        end = time.monotonic() + seconds
        gone = False
        while True:
            try:
                return answer.result(timeout=0.05 if not gone else 0)
            except OutOfTime:
                if gone:
                    raise _Ended(how_it_ended(self.process.returncode)) from None
                # Looked at once more: it may have answered with its last breath.
                gone = self.process.poll() is not None
                if not gone and time.monotonic() > end:
                    raise

    def end(self) -> None:
        """Kills it, and waits for its last words. Several may ask for it at once."""
        with self._ending:
            if self._ended:
                return
            self._ended = True
            self.process.kill()
            self.process.wait()
            self._reader.join(timeout=1)
            self.process.stdout.close()
            self.api.close()

    def _read(self, log: list[str]) -> None:
        try:
            for line in self.process.stdout:
                log.append(line.decode(errors="replace").rstrip("\n"))
                del log[:-LOG_LINES]
        except ValueError:
            # Closed: a program that it had started kept the other end open.
            return


class _Ended(Exception):
    """The process ended without an answer."""


def how_it_ended(code: int) -> str:
    return f"signal: {-code}" if code < 0 else f"exit status {code}"


def document(kind: str, message: str) -> bytes:
    """An error as Lambda words it."""
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()
