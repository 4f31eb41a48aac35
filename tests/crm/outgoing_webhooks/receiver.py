"""A receiver of outgoing webhooks on loopback."""

import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Received:
    id: str
    timestamp: str
    signature: str
    body: bytes


class Receiver:
    """Answers each POST with `status`, after `delay_s`, while `answers` is set."""

    def __init__(self):
        self.received, self.status, self.delay_s, self.headers = [], 204, 0.0, {}
        self.answers = threading.Event()
        self.answers.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                names = ("webhook-id", "webhook-timestamp", "webhook-signature")
                receiver.received.append(Received(*(self.headers[name] for name in names), body))
                time.sleep(receiver.delay_s)
                receiver.answers.wait(300)
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    @property
    def ids(self):
        return [each.id for each in self.received]
