"""A server that passes PostgreSQL's protocol on, with a process number of its own, as PgBouncer has."""

import shutil
import socket
import struct
import tempfile
from contextlib import contextmanager, suppress
from threading import Thread

PORT = 5432
PROCESS_NUMBER = struct.pack("!i", 1)
KEY_DATA, READY = b"K", b"Z"


@contextmanager
def renumbering_pooler(server_folder):
    """Yield the folder of a socket that leads to the server's socket in `server_folder`."""
    folder = tempfile.mkdtemp(prefix="crm-pool-", dir="/tmp")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/.s.PGSQL.{PORT}")
        listener.listen()
        accepting = Thread(target=_accept, args=[listener, f"{server_folder}/.s.PGSQL.{PORT}"], daemon=True)
        accepting.start()
        try:
            yield folder
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            shutil.rmtree(folder)


def _accept(listener, path):
    with suppress(OSError):  # closed
        while True:
            client, _ = listener.accept()
            Thread(target=_serve, args=[client, path], daemon=True).start()


def _serve(client, path):
    with client, socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        questions = Thread(target=_copy, args=[client, server], daemon=True)
        questions.start()
        _answer(server, client)
        questions.join()


def _answer(server, client):
    """Pass the server's messages on: up to the first READY singly, with another process number."""
    with suppress(OSError, struct.error), server.makefile("rb") as messages:
        kind = b""
        while kind != READY:
            kind, length = messages.read(1), messages.read(4)
            body = messages.read(struct.unpack("!i", length)[0] - 4)
            client.sendall(kind + length + (PROCESS_NUMBER + body[4:] if kind == KEY_DATA else body))
        while some := messages.read1():
            client.sendall(some)
    with suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)


def _copy(source, target):
    with suppress(OSError):
        while some := source.recv(65536):
            target.sendall(some)
        target.shutdown(socket.SHUT_WR)
