"""A bucket of an S3-compatible service, in memory: PUT, GET with `Range`, HEAD and DELETE of one object each."""

import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME = "crm-files"


class Bucket(ThreadingHTTPServer):
    """A running server. `asked` has the method, the key and the range of each request."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Requests)
        self.objects: dict[str, bytes] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.is_down = False
        self.delay_s = 0.0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        """The value of FILE_STORAGE_URL."""
        return f"s3://key:s%2Fecret@{NAME}?endpoint=http://127.0.0.1:{self.server_port}&region=us-east-1"

    def __exit__(self, *error):
        self.shutdown()
        super().__exit__(*error)

    def handle_error(self, request, client_address):
        """Stay silent about clients that were killed."""


class Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Bucket

    def do_PUT(self):
        size = int(self.headers["Content-Length"])
        self._note()
        time.sleep(self.server.delay_s)
        body = self.rfile.read(size)
        if len(body) == size and not self.server.is_down:
            self.server.objects[self._key()] = body
        self._answer(200)

    def do_GET(self):
        self._note()
        body = self.server.objects.get(self._key())
        if body is None:
            return self._answer(404)
        first, last = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"]).groups())
        return self._answer(206, body[first : last + 1], {"Content-Range": f"bytes {first}-{last}/{len(body)}"})

    def do_HEAD(self):
        self._note()
        body = self.server.objects.get(self._key())
        self._answer(404 if body is None else 200, body or b"")

    def do_DELETE(self):
        self._note()
        if not self.server.is_down:
            self.server.objects.pop(self._key(), None)
        self._answer(204)

    def log_message(self, format, *values):
        pass

    def _key(self):
        return self.path.partition("?")[0].removeprefix(f"/{NAME}/")

    def _note(self):
        assert "Credential=key/" in self.headers["Authorization"]
        self.server.asked.append((self.command, self._key(), self.headers.get("Range", "")))

    def _answer(self, status, body=b"", headers=None):
        status = 503 if self.server.is_down else status
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
