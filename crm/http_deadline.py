"""A time limit of a whole HTTP request."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Timer
from typing import Any


@contextmanager
def cut_after(seconds: float) -> Iterator[dict[str, Any]]:
    """Yield extensions of a request of httpx or httpcore whose connection is cut after a time.

    They limit the time of each read only, and a response may send any number of headers or chunks, byte by byte.
    """
    streams: list[Any] = []
    over = Event()

    def keep_stream(event: str, info: dict[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            streams.append(info["return_value"])
            if over.is_set():  # while the name was looked up, which has no limit of its own
                cut()

    def cut() -> None:
        over.set()
        for stream in streams:
            with suppress(OSError):  # closed already
                socket.socket.shutdown(stream.get_extra_info("socket"), socket.SHUT_RDWR)

    timer = Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield {"trace": keep_stream}
    finally:
        timer.cancel()
