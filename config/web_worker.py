"""gunicorn's threaded worker, in which a request gets a thread only after it has arrived whole.

gunicorn's own threads read requests: a few clients that send a part and then nothing would hold all of them. While all
threads wait for a database that hangs, health checks have threads of their own, and what has waited for a thread for
long is refused: nobody waits for the sum of several such times.
"""

import json
import re
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from selectors import EVENT_READ
from socket import SHUT_RDWR, SHUT_WR, socket
from tempfile import TemporaryFile
from typing import IO, Any

from django.conf import settings
from gunicorn.http.errors import (
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)
from gunicorn.http.unreader import Unreader
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from crm.db.watchdog import ARRIVED
from crm.error_codes import ErrorCode

PIECE = 65_536  # bytes of one read: the other connections wait for it
MAX_HEADERS = 65_536  # bytes, of all header lines together
BUFFER = 64 * 1024 * 1024  # bytes of unfinished requests that one process keeps
LINGER_S = 2.0  # how long a client that still sends can read its refusal; closing at once would destroy it
MAX_WAIT_S = 10.0  # for a thread; what then waits for the database is answered within 20 s of its arrival
HEALTH_CHECK = re.compile(rb"(GET|HEAD) /(healthz|readyz)[ ?]")
HEALTH_THREADS = 2  # /readyz takes one for READY_TIMEOUT_S at most
CODING = b"\r\ntransfer-encoding:"
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)[ \t]*(?=\r\n)", re.I)
EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.I)


def refusal(status: str, code: ErrorCode, detail: str = "", *more: str) -> bytes:
    body = json.dumps(code.body(detail))
    lines = ["Connection: close", "Content-Type: application/json", f"Content-Length: {len(body)}", *more]
    headers = "\r\n".join(lines)
    return f"HTTP/1.1 {status}\r\n{headers}\r\n\r\n{body}".encode()


ALL_BUSY = refusal(
    "503 Service Unavailable",
    ErrorCode.UNAVAILABLE,
    "The server is busy. Please try again in a few seconds.",
    "Retry-After: 5",
)
TOO_SLOW = refusal("408 Request Timeout", ErrorCode.REQUEST_TIMEOUT)
TOO_LARGE = refusal(
    "431 Request Header Fields Too Large",
    ErrorCode.HEADERS_TOO_LARGE,
    f"The headers must be at most {MAX_HEADERS:,} bytes.",
)
OF_RESPONSES = (InvalidResponseHeader, InvalidResponseHeaderName)  # faults of the product
# Of gunicorn's parser.
LINE_TOO_LONG = refusal("414 URI Too Long", ErrorCode.URL_TOO_LONG)
HEADER_TOO_LARGE = refusal("431 Request Header Fields Too Large", ErrorCode.HEADERS_TOO_LARGE)
MALFORMED = refusal("400 Bad Request", ErrorCode.BAD_REQUEST)


# Uploads are kept on disk. Few at a time, since anybody can send one: who may is known when it has arrived.
UPLOADS = 4  # of one process


# Not at import: the server's first process must not keep settings that a HUP is to read again.
@cache
def _upload_line() -> re.Pattern[bytes]:
    return re.compile(b"POST (%s)[ ?]" % "|".join(map(re.escape, settings.UPLOADS)).encode())


def _is_upload(request: bytes | bytearray) -> bool:
    return _upload_line().match(request) is not None


@dataclass
class Arrival:
    """The part of a request that has arrived."""

    deadline: float
    leaving: bool = False  # answered and closing: what still arrives is dropped
    data: bytearray = field(default_factory=bytearray)
    headers: int = 0  # bytes of the headers, 0 until they have arrived
    size: int = 0  # bytes to wait for, 0 until then
    body_unread: bool = False  # too large or of unknown size: the request is refused without it
    upload: IO[bytes] | None = None  # the rest of a body that is kept on disk
    uploaded: int = 0  # its bytes

    def add(self, piece: bytes) -> bool:
        """Add a piece. Return whether the request has arrived."""
        if self.upload is not None:
            self.upload.write(piece)
            self.uploaded += len(piece)
            return self.size <= len(self.data) + self.uploaded
        start = max(0, len(self.data) - 3)
        self.data += piece if self.data else piece.lstrip(b"\r\n")  # some clients end a body with an empty line
        if not self.size and (end := self.data.find(b"\r\n\r\n", start)) >= 0:
            self._read_size(bytes(self.data[: end + 2]))
        return 0 < self.size <= len(self.data)

    def _read_size(self, headers: bytes) -> None:
        """Read how much to wait for. gunicorn's parser judges the headers later."""
        self.headers = self.size = len(headers) + 2
        lengths = [int(digits[-4000:]) for digits in LENGTH.findall(headers)]  # Python refuses longer numbers
        is_upload = sum(lengths) > settings.REQUEST_MAX_SIZE and _is_upload(self.data)
        limit = settings.UPLOAD_MAX_SIZE if is_upload else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        too_large = sum(lengths) > limit
        self.body_unread = too_large or len(lengths) > 1 or CODING in headers.lower()
        if not self.body_unread:
            self.size += sum(lengths)
            if is_upload:
                self.upload = TemporaryFile(prefix="crm-upload-")  # noqa: SIM115  # closed when the request is answered
                self.deadline = time.monotonic() + settings.UPLOAD_TIMEOUT_S


class ArrivedBytes(Unreader):
    """gunicorn's reader of a connection, ending with what has arrived: a thread can't wait for more."""

    upload: IO[bytes] | None = None

    def chunk(self, size_hint: int | None = None) -> bytes:  # Unreader
        return self.upload.read(PIECE) if self.upload else b""


class WebWorker(ThreadWorker):
    """Reads requests in the main thread, without waiting for any of them.

    WEB_REQUEST_TIMEOUT_S limits how long a request may arrive, and how long its response may take. Both limits are for
    the whole, so that a byte now and then prolongs nothing.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.arrivals: dict[TConn, Arrival] = {}
        self.waiting: dict[TConn, float] = {}  # for a thread, since when
        self.answering: dict[TConn, float] = {}  # with their deadlines
        self.health = ThreadPoolExecutor(HEALTH_THREADS, thread_name_prefix="health")
        self.buffered = 0
        self.checked = 0.0

    def accept(self, listener: socket) -> None:
        super().accept(listener)
        if self.nr_conns >= self.worker_connections and len(self.arrivals) > 1:
            self.drop(next(iter(self.arrivals)))  # the one that has been arriving for the longest time

    def enqueue_req(self, conn: TConn) -> None:
        """Wait for a connection's request. Begin with the bytes that arrived with the previous one."""
        if not conn.initialized:
            conn.init()
            conn.parser.unreader = ArrivedBytes()
        self.wait_for_data(conn, Arrival(time.monotonic() + settings.WEB_REQUEST_TIMEOUT_S))
        self.add_piece(conn, conn.parser.unreader.take_buffered())

    def on_client_socket_readable(self, conn: TConn, client: socket) -> None:
        """Read the next request of a connection at once: the poller has seen that it is there."""
        self.keepalived_conns.remove(conn)
        self.arrivals[conn] = Arrival(time.monotonic() + settings.WEB_REQUEST_TIMEOUT_S)
        self.poller.modify(client, EVENT_READ, partial(self.read_piece, conn))
        self.read_piece(conn, client)

    def wait_for_data(self, conn: TConn, arrival: Arrival) -> None:
        conn.sock.setblocking(False)
        self.arrivals[conn] = arrival
        self.poller.register(conn.sock, EVENT_READ, partial(self.read_piece, conn))

    def read_piece(self, conn: TConn, sock: socket) -> None:
        if conn not in self.arrivals:  # dropped since the poller reported it
            return
        try:
            piece = sock.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self.drop(conn)
        elif not self.arrivals[conn].leaving:
            self.add_piece(conn, piece)

    def add_piece(self, conn: TConn, piece: bytes) -> None:
        arrival = self.arrivals[conn]
        knew_size, before = arrival.size, len(arrival.data)
        is_whole = arrival.add(piece)
        self.buffered += len(arrival.data) - before
        if (arrival.headers or len(arrival.data)) > MAX_HEADERS:
            self.refuse(conn, TOO_LARGE)
        elif is_whole:
            self.forget(conn)
            conn.data_ready = True
            conn.body_unread = arrival.body_unread or arrival.upload is not None  # a view may not read it to its end
            conn.parser.unreader.unread(bytes(arrival.data))
            conn.parser.unreader.upload = arrival.upload
            if arrival.upload is not None:
                arrival.upload.seek(0)
            self.waiting[conn] = time.monotonic()
            pool = self.health if HEALTH_CHECK.match(arrival.data) else self.tpool
            answer = pool.submit(self.handle, conn)
            answer.add_done_callback(partial(self.follow_answer, conn))
        elif (
            arrival.upload
            and not knew_size
            and sum(other.upload is not None for other in self.arrivals.values()) > UPLOADS
        ):
            self.refuse(conn, ALL_BUSY)
        elif arrival.size and not knew_size and EXPECT.search(arrival.data):
            self.send(conn, b"HTTP/1.1 100 Continue\r\n\r\n")
        while self.buffered > BUFFER:
            self.drop(max(self.arrivals, key=lambda other: len(self.arrivals[other].data)))

    def handle(self, conn: TConn) -> Any:
        """Answer a request, in a thread."""
        now, arrived = time.monotonic(), self.waiting.pop(conn)
        if now - arrived > MAX_WAIT_S:
            self.refuse_late(conn, now - arrived)
            return False
        ARRIVED.set(arrived)
        is_upload = conn.parser.unreader.upload is not None
        self.answering[conn] = now + (settings.UPLOAD_TIMEOUT_S if is_upload else settings.WEB_REQUEST_TIMEOUT_S)
        try:
            return super().handle(conn)
        finally:
            del self.answering[conn]
            if (upload := conn.parser.unreader.upload) is not None:
                conn.parser.unreader.upload = None
                upload.close()

    def follow_answer(self, conn: TConn, future: "Future[Any]") -> None:
        """Wait for the connection's next request. This runs in the answer's thread, so the main thread sleeps on."""
        is_kept = not future.cancelled() and not future.exception() and future.result()
        if not is_kept or not self.alive or conn.parser.unreader.buf.getvalue():
            self.method_queue.defer(self.finish_request, conn, future)
            return
        conn.sock.setblocking(False)
        conn.set_timeout()
        self.keepalived_conns.append(conn)
        if not self.alive:  # since a moment ago: the main thread may have shortened the waits before this one
            conn.timeout = min(conn.timeout, time.monotonic() + STOP_KEEPALIVE_LINGER)
        # The main thread may answer the next request from here on.
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_client_socket_readable, conn))

    def _cap_keepalive(self, deadline: float) -> None:
        """Shorten the waits for next requests, for a stop. Answers' threads may begin others meanwhile."""
        for conn in tuple(self.keepalived_conns):
            conn.timeout = min(conn.timeout, deadline)

    def refuse_late(self, conn: TConn, seconds: float) -> None:
        from config.request_log import OTHER  # the processes are made before the histogram may be
        from config.request_metrics import DURATIONS

        DURATIONS.labels(OTHER, OTHER, "5xx").observe(seconds)
        self.log.warning("A request waited %.1f s for a thread, and was refused.", seconds)
        self.send(conn, ALL_BUSY)

    def handle_error(self, req: Any, client: socket, addr: Any, exc: BaseException) -> None:
        """Refuse what gunicorn's parser refuses, in the shape of the API instead of HTML."""
        if not isinstance(exc, ParseException) or isinstance(exc, OF_RESPONSES):
            super().handle_error(req, client, addr, exc)
            return
        self.log.warning("Invalid request: %s", exc)
        answers = {LimitRequestLine: LINE_TOO_LONG, LimitRequestHeaders: HEADER_TOO_LARGE}
        with suppress(OSError):
            client.send(answers.get(type(exc), MALFORMED))

    def handle_request(self, req: Any, conn: TConn) -> Any:
        if conn.body_unread:
            req.force_close()  # tells the client, too: where its next request begins is unknown
        return super().handle_request(req, conn)

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        """Keep a connection for its next request."""
        if not keepalive:
            return False
        # A body that was refused unread, which has arrived whole. gunicorn gives up after 64 kB.
        conn.parser.mesg.body.read()
        return bool(conn.parser.finish_body())

    def finish_request(self, conn: TConn, future: "Future[Any]") -> None:
        if not future.cancelled() and not future.exception() and future.result():
            super().finish_request(conn, future)
            return
        self.linger(conn)  # gunicorn would wait here for the client to close, and all other connections with it

    def linger(self, conn: TConn) -> None:
        """Close a connection once its client has done so."""
        try:
            conn.sock.shutdown(SHUT_WR)
            self.wait_for_data(conn, Arrival(time.monotonic() + LINGER_S, leaving=True))
        except OSError:
            self.nr_conns -= 1
            conn.close()

    def refuse(self, conn: TConn, answer: bytes) -> None:
        self.forget(conn)
        self.send(conn, answer)
        self.linger(conn)

    def murder_pending(self) -> None:
        """Close connections whose time is over. gunicorn calls this after each event, and at least once a second."""
        now = time.monotonic()
        if now < self.checked + 0.1 and self.alive:
            return
        self.checked = now
        for conn, arrival in list(self.arrivals.items()):
            if arrival.deadline < now and arrival.data:
                self.refuse(conn, TOO_SLOW)
            elif arrival.deadline < now:
                self.drop(conn)
            elif not self.alive and not arrival.data and not arrival.leaving:
                self.drop(conn)  # browsers open connections in advance: a stop doesn't wait for their first request
        for conn, deadline in list(self.answering.items()):
            if deadline < now:
                with suppress(OSError):
                    conn.sock.shutdown(SHUT_RDWR)  # ends the thread's wait for a client that doesn't read

    def send(self, conn: TConn, answer: bytes) -> None:
        with suppress(OSError):
            conn.sock.send(answer)

    def drop(self, conn: TConn) -> None:
        self.forget(conn)
        self.nr_conns -= 1
        conn.close()

    def forget(self, conn: TConn) -> None:
        self.buffered -= len(self.arrivals.pop(conn).data)
        self.poller.unregister(conn.sock)
