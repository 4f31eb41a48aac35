"""The providers' APIs on loopback: a real HTTP server that behaves as documented, with faults on demand.

    with ProviderServer() as server:
        server.openphone.add_line("PNdesk", "+12125550100")
        server.fail_sends(drop(accepts=True))     # the next message is accepted, then the connection drops
        ...
        assert [message.body for message in server.sent] == [...]

Worker processes of a test use it as well, at `server.url`. To try the product with it by hand:

    python -m tests.provider_server 8010 PNdesk=+12125550100
    SMS_BACKEND=provider OPENPHONE_API_URL=http://127.0.0.1:8010 manage.py work
"""

import json
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "test-key-1"  # as in ProviderAccountFactory
WINDOW_S = 1.0


@dataclass(frozen=True)
class Sent:
    """A message that was sent."""

    provider: str
    id: str
    from_number: str
    to: str
    body: str
    at: float  # Unix time


@dataclass(frozen=True)
class Fault:
    """A fault of one request. With `accepts` the request is executed, and its answer is lost."""

    accepts: bool
    ends: str  # hang, late, drop, answer
    answer: "Answer | None" = None


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int
    content: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else json.dumps(self.content).encode()


def hang(*, accepts: bool) -> Fault:
    """Never answer."""
    return Fault(accepts, "hang")


def late() -> Fault:
    """Execute the request, and answer once the server is closed."""
    return Fault(accepts=True, ends="late")


def drop(*, accepts: bool) -> Fault:
    """Close the connection without an answer."""
    return Fault(accepts, "drop")


def answer(status: int, *, code: str = "", accepts: bool = False, retry_after: str = "") -> Fault:
    """Answer with an error. OpenPhone's codes are strings, Twilio's are numbers."""
    content = {"message": f"Fault {status}", "code": int(code) if code[:1] != "0" and code else code, "status": status}
    return Fault(accepts, "answer", Answer(status, content, {"Retry-After": retry_after} if retry_after else {}))


def garbage(status: int, *, accepts: bool) -> Fault:
    """Answer with invalid JSON."""
    return Fault(accepts, "answer", Answer(status, b"<html>Good gateway</html>"))


class ProviderServer:
    """All three providers at one address. The rate is limited per key, as OpenPhone documents."""

    def __init__(self, *, requests_per_second: int = 10, port: int = 0) -> None:
        from tests.provider_server.callrail import CallRail
        from tests.provider_server.openphone import OpenPhone
        from tests.provider_server.twilio import Twilio

        self.lock = Lock()
        self.sent: list[Sent] = []
        self.requests: list[Request] = []
        self.openphone, self.twilio, self.callrail = OpenPhone(self), Twilio(self), CallRail(self)
        self._rate = requests_per_second
        self._recent: defaultdict[str, deque[float]] = defaultdict(deque)
        self._faults: dict[str, deque[Fault]] = {"POST": deque(), "GET": deque()}
        self._closing = Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", port), self._make_handler())
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> "ProviderServer":
        Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True).start()
        return self

    def close(self) -> None:
        """End all requests that hang: without an answer, or with their late one."""
        self._closing.set()

    def __exit__(self, *_error: object) -> None:
        self.close()
        self._http.shutdown()
        self._http.server_close()

    def fail_sends(self, *faults: Fault) -> None:
        """Set the faults of the next messages, in order; later messages are sent."""
        self._faults["POST"].extend(faults)

    def fail_reads(self, *faults: Fault) -> None:
        """Set the faults of the next GET requests."""
        self._faults["GET"].extend(faults)

    def record_sent(self, **message: str) -> None:
        self.sent.append(Sent(at=time.time(), **message))

    def _execute(self, request: Request) -> Fault:
        """Execute a request. One at a time, so that the log has the order of sending."""
        with self.lock:
            self.requests.append(request)
            fault = self._faults[request.method].popleft() if self._faults[request.method] else None
            if fault is not None and not fault.accepts:
                return fault
            real = Answer(429, {"message": "Too many requests", "status": 429}) if self._exceeds_rate(request) else None
            real = real or self._provider_of(request).answer(request)
            if fault is not None and fault.ends == "late":
                return Fault(accepts=True, ends="hang", answer=real)
            return fault or Fault(accepts=True, ends="answer", answer=real)

    def _exceeds_rate(self, request: Request) -> bool:
        now, recent = time.monotonic(), self._recent[request.headers.get("Authorization", "")]
        while recent and recent[0] <= now - WINDOW_S:
            recent.popleft()
        if len(recent) >= self._rate:
            return True
        recent.append(now)
        return False

    def _provider_of(self, request: Request) -> Any:
        if request.path.startswith("/2010-04-01/"):
            return self.twilio
        return self.callrail if request.path.startswith("/v3/") else self.openphone

    def _make_handler(server) -> type[BaseHTTPRequestHandler]:  # noqa: N805  # `self` is the handler's, below
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self._serve()

            def do_GET(self) -> None:
                self._serve()

            def _serve(self) -> None:
                url = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                query = parse_qs(url.query)
                end = server._execute(Request(self.command, url.path, query, dict(self.headers), body))
                if end.ends == "hang":
                    server._closing.wait(60)
                if end.answer is None:
                    return
                content = end.answer.encoded()
                self.send_response(end.answer.status)
                for name, value in end.answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        return Handler
