"""Time limits of whole HTTP requests."""

import socket
import time

import httpcore

from crm.http_deadline import cut_after


def test_connection_that_begins_after_the_limit_is_cut():
    """A slow look-up of the name uses up the time before there is a connection."""
    with socket.create_server(("127.0.0.1", 0)) as server, cut_after(0.01) as extensions:
        time.sleep(0.1)
        stream = httpcore.SyncBackend().connect_tcp(*server.getsockname(), timeout=5)
        accepted, _ = server.accept()
        with accepted:
            accepted.settimeout(5)
            extensions["trace"]("connection.connect_tcp.complete", {"return_value": stream})
            assert accepted.recv(1) == b""
        stream.close()
