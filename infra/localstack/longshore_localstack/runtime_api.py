"""The Lambda Runtime API for one function: an HTTP server that the function asks for events.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PREFIX = "/2018-06-01/runtime"


@dataclass
class Invocation:
    """One event for the function, and the promise of an answer: `(payload, whether it is an error)`."""

    request_id: str
    arn: str
    trace_id: str
    deadline_ms: int
    payload: bytes
    answer: Future = field(default_factory=Future)


class RuntimeApi:
    """Serves on a port of 127.0.0.1 until it is closed."""

    def __init__(self) -> None:
        self.events: queue.Queue[Invocation | None] = queue.Queue()
        self.current: Invocation | None = None
        # Done when the function has asked for its first event; an error when it says that it cannot start.
        self.started: Future = Future()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self.events.put(None)
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A function that was ended in the middle of an answer is no news."""


class InitError(Exception):
    """The function said that it cannot start; the argument is what it said, as JSON bytes."""


def _handler(api: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Answers are written in two packets; without this each would wait 40 ms.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            if self.path != f"{PREFIX}/invocation/next":
                return self._reply(404)
            if not api.started.done():
                api.started.set_result(None)
            invocation = api.events.get()
            if invocation is None:
                # Closed: the client has been ended.
                self.close_connection = True
                return None
            api.current = invocation
            self._reply(
                200,
                {
                    "Content-Type": "application/json",
                    "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                    "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                    "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
                    "Lambda-Runtime-Trace-Id": invocation.trace_id,
                },
                invocation.payload,
            )

        def do_POST(self) -> None:
            body = self._body()
            if self.path == f"{PREFIX}/init/error":
                if not api.started.done():
                    api.started.set_exception(InitError(body))
                return self._reply(202)
            invocation = api.current
            for kind in ("response", "error"):
                if invocation and self.path == f"{PREFIX}/invocation/{invocation.request_id}/{kind}":
                    # The caller may go on before the function is told that its answer arrived.
                    self._reply(202)
                    if not invocation.answer.done():
                        invocation.answer.set_result((body, kind == "error"))
                    return None
            return self._reply(404)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            pieces = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            # Trailers, up to the empty line.
            while self.rfile.readline().strip():
                pass
            return b"".join(pieces)

        def _reply(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """One line per request would drown the functions' own."""

    return Handler
