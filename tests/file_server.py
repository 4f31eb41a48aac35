"""A web server on loopback that sends files, as providers do."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

JPEG = b"\xff\xd8\xff\xe0" + b"roof" * 100
MP3 = b"ID3\x03\0\0\0" + bytes(range(256)) * 20
Answer = tuple[int, dict[str, str], bytes]


class FileServer:
    """Answers by path, as `files` says: with bytes, or with a function's status, headers and body."""

    def __init__(self) -> None:
        self.files: dict[str, bytes | Callable[[], Answer]] = {}
        self.asked: list[tuple[str, str]] = []
        """The path of each request, and its Authorization header."""
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append((self.path, self.headers.get("authorization", "")))
                found = server.files.get(self.path)
                status, headers, body = found() if callable(found) else (200 if found else 404, {}, found or b"")
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def redirect(self, path: str, url: str) -> str:
        """Let a path redirect. Returns its URL."""
        self.files[path] = lambda: (302, {"Location": url}, b"")
        return self.url + path

    def __enter__(self) -> "FileServer":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
