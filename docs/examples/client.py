"""A small client of the API, and the days that are made of its requests. Python's standard library is enough."""

import base64
import hashlib
import hmac
import json
import os
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import choice, randrange
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

BASE = os.environ.get("BASE", "http://127.0.0.1:8000")
MAIL_FOLDER = os.environ.get("MAIL_FOLDER", "")  # where EMAIL_URL=filemail:////PATH of the server keeps its mail
PATIENCE_S = float(os.environ.get("PATIENCE_S", "60"))  # for what a worker does
GOOD = {"GET": (200,), "POST": (200, 201, 202, 204), "PATCH": (200,), "DELETE": (204,)}
AREA_CODES = (303, 720, 970, 719)


class Surprise(Exception):
    """An answer is not the one that the day expects."""


class Answer:
    """The answer to a request: its status, headers and body; `answer["id"]` is a value of the body."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def data(self) -> Any:
        return json.loads(self.body) if self.body else None

    @property
    def code(self) -> str:
        """The code of a refusal. docs/errors.md has all of them."""
        return self.data["errors"][0]["code"]

    def __getitem__(self, name: str) -> Any:
        return self.data[name]


class Api:
    """The API, for one user or API token."""

    def __init__(self, token: str = "") -> None:
        self.token, self.refresh = token, ""

    def sign_in(self, username: str, password: str = "demo", **code: str) -> "Api":
        tokens = self.post("auth/token", {"username": username, "password": password} | code)
        self.token, self.refresh = tokens["access"], tokens["refresh"]
        return self

    def get(self, path: str, **query: Any) -> Answer:
        return self.ask("GET", f"{path}?{urlencode(query, doseq=True)}" if query else path)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.ask("POST", path, body, **options)

    def patch(self, path: str, body: Any, **options: Any) -> Answer:
        return self.ask("PATCH", path, body, **options)

    def delete(self, path: str) -> Answer:
        return self.ask("DELETE", path)

    def upload(self, path: str, name: str, content: bytes, **fields: Any) -> Answer:
        """Send a file with the other fields of its form."""
        boundary = uuid.uuid4().hex
        parts = [f'name="{key}"\r\n\r\n{value}'.encode() for key, value in fields.items()]
        parts.append(f'name="file"; filename="{name}"\r\n\r\n'.encode() + content)
        body = b"".join(b"--%s\r\nContent-Disposition: form-data; %s\r\n" % (boundary.encode(), part) for part in parts)
        body += f"--{boundary}--\r\n".encode()
        return self.ask("POST", path, body, content_type=f"multipart/form-data; boundary={boundary}")

    def refused(self, status: int, code: str, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        """Send a request that the API must refuse, with this status and code."""
        answer = self.ask(method, path, body, good=(status,), **options)
        check(f"{method} {path} is refused", answer.code, code)
        return answer

    def ask(
        self, method: str, path: str, body: Any = None, *, good: tuple[int, ...] = (), key: str = "", etag: str = "",
        content_type: str = "application/json",
    ) -> Answer:  # fmt: skip
        """Send a request. Raises Surprise for an answer with another status than `good`.

        Args:
            key: the Idempotency-Key: the same one for each try of the same thing.
            etag: the ETag of the row that is to be changed, for If-Match.
        """
        headers = {"Content-Type": content_type} if body is not None else {}
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= {"Idempotency-Key": key} if key else {}
        headers |= {"If-Match": etag} if etag else {}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        answer = fetch(f"{BASE}/api/v1/{path}", method, data, headers)
        if answer.status not in (good or GOOD[method]):
            expected = " or ".join(map(str, good or GOOD[method]))
            raise Surprise(f"{method} {path}: expected {expected}, got {answer.status}: {answer.body.decode()[:500]}")
        return answer


def fetch(url: str, method: str = "GET", data: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
    """Send a request to any URL, and return the answer whatever its status is."""
    request = Request(url, data, headers or {}, method=method)
    try:
        with urlopen(request, timeout=60) as response:
            return Answer(response.status, response.headers, response.read())
    except HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


def check(what: str, got: Any, expected: Any) -> None:
    """Raise Surprise unless both are the same."""
    if got != expected:
        raise Surprise(f"{what}: expected {expected!r}, got {got!r}")


def wait_for(what: str, find: Callable[[], Any]) -> Any:
    """Ask again and again until `find` returns something, and return it. Raises Surprise after PATIENCE_S seconds."""
    end = time.monotonic() + PATIENCE_S
    while not (found := find()):
        if time.monotonic() > end:
            raise Surprise(f"{what}: it has not happened within {PATIENCE_S:.0f} s. Does a worker run?")
        time.sleep(0.3)
    return found


def links_for(address: str) -> list[str]:
    """Return the tokens of the links that set a password and were mailed to this address, the oldest first."""
    files = sorted(Path(MAIL_FOLDER).glob("*.log"), key=lambda file: file.stat().st_mtime_ns)
    mails = [mail for file in files for mail in file.read_text().split("-" * 79) if f"To: {address}" in mail]
    return [token for mail in mails for token in re.findall(r"/set-password/(\S+)", mail)]


def code_of(secret: str, *, step: int = 0) -> str:
    """Return the code that an app for second factors shows (RFC 6238), or will show this many times 30 s later."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    count = int(time.time()) // 30 + step
    digest = hmac.digest(key, count.to_bytes(8, "big"), "sha1")
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


class Day:
    """A working day: each method of a subclass is a step, in their order. Its docstring says what is done."""

    user = ""

    def __init__(self) -> None:
        self.api = Api()

    def note(self, text: str) -> None:
        print(f"  {text}", flush=True)

    @classmethod
    def run(cls) -> None:
        """Do all steps. The first that goes wrong ends the program, with status 1 and the reason."""
        day = cls()
        for name, step in vars(cls).items():
            if name.startswith("_") or not callable(step):
                continue
            print(step.__doc__, flush=True)
            try:
                step(day)
            except (Surprise, OSError) as surprise:
                sys.exit(f"The step {name} has failed.\n  {surprise}")
        print(f"Every job of the {cls.user} is done.", flush=True)


class Receiver:
    """A receiver of outgoing webhooks on this machine. It keeps what is signed with `secret`."""

    def __init__(self) -> None:
        self.secret, self.events = "", []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                is_signed = receiver.is_signed(self.headers, body)
                if is_signed:
                    receiver.events.append(json.loads(body))
                self.send_response(204 if is_signed else 401)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def is_signed(self, headers: Any, body: bytes) -> bool:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        secret = base64.b64decode(self.secret.removeprefix("whsec_"))
        expected = "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
        return any(hmac.compare_digest(expected, each) for each in headers["webhook-signature"].split(" "))


def new_key() -> str:
    return str(uuid.uuid4())


def new_name(beginning: str) -> str:
    """Return a name that nothing has yet, so that the day can be repeated."""
    return f"{beginning} {uuid.uuid4().hex[:8]}"


def unknown_number(api: Api) -> str:
    """Return a number that no contact has. Those with 555-01 are for fiction: they ring nowhere."""
    own = {line["number"] for line in api.get("phone-lines", limit=1000)["results"]}
    while True:
        number = f"+1{choice(AREA_CODES)}55501{randrange(100):02d}"
        if number not in own and not api.get("contacts", search=number[1:], limit=1)["results"]:
            return number


def ahead(**time_ahead: float) -> str:
    """Return a time ahead, at the full hour, as the API takes it."""
    instant = datetime.now(UTC) + timedelta(**time_ahead)
    return instant.replace(minute=0, second=0, microsecond=0).isoformat()


def day_ahead(days: int) -> str:
    """Return a day ahead, as the API takes it."""
    return ahead(days=days)[:10]


def book(api: Api, *, hours: int = 1, **fields: Any) -> Answer:
    """Book an appointment for a rep tomorrow or, where the rep is busy, an hour later, and so on."""
    for later in range(24 * 14):
        times = {"scheduled_start": ahead(days=1, hours=later), "scheduled_end": ahead(days=1, hours=later + hours)}
        answer = api.post("appointments", fields | times, key=new_key(), good=(201, 409))
        if answer.status == 201:
            return answer
        check("a booking is refused", answer.code, "slot_taken")
    raise Surprise("the rep has no free hour within two weeks")
