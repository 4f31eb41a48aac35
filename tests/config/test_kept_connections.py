"""Connections that stay open between requests, in one process of the web server."""

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from selectors import DefaultSelector

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import TConn

from config.web_worker import WebWorker
from tests.db.scratch import wait_until

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
GIVE_UP_S = 300  # only for broken code


def say_done(_environ, start_response):
    start_response("200 OK", [("Content-Length", "4")])
    return [b"done"]


class Kept:
    """A connection that has had its first answer, and the worker that keeps it."""

    def __init__(self):
        config = Config()
        config.set("keepalive", GIVE_UP_S)
        self.worker = WebWorker(0, os.getppid(), [], None, GIVE_UP_S, config, Logger(config))
        self.worker.wsgi, self.worker.nr_conns = say_done, 1
        self.worker.tpool, self.worker.poller = ThreadPoolExecutor(1), DefaultSelector()
        self.worker.method_queue.init()
        self.worker.poller.register(self.worker.method_queue.fileno(), 1, self.worker.method_queue.run_callbacks)
        self.server, self.client = socket.socketpair()
        self.client.settimeout(GIVE_UP_S)
        self.worker.enqueue_req(TConn(config, self.server, ("127.0.0.1", 1), ("127.0.0.1", 80)))
        self.client.sendall(REQUEST)
        self.turn()
        assert self.answer().endswith(b"done")
        self.wait_until_kept()

    def turn(self):
        """Take one turn of the worker's loop, which waits for an event."""
        self.worker.wait_for_and_dispatch_events(GIVE_UP_S)

    def answer(self, count=1):
        """Return what the client receives, until it has so many answers."""
        answer = b""
        while answer.count(b"\r\n\r\ndone") < count:
            answer += self.client.recv(1000)
        return answer

    def wait_until_kept(self):
        wait_until(lambda: len(self.worker.poller.get_map()) == 2 and self.worker.keepalived_conns)

    def close(self):
        self.client.close()
        self.server.close()
        for pool in (self.worker.tpool, self.worker.health):
            pool.shutdown()
        for each in (self.worker.poller, self.worker.method_queue, self.worker.tmp):
            each.close()


@pytest.fixture
def kept():
    kept = Kept()
    yield kept
    kept.close()


def test_request_takes_one_turn_of_the_loop(kept):
    for _ in range(3):
        kept.client.sendall(REQUEST)
        kept.turn()
        assert kept.answer().startswith(b"HTTP/1.1 200 OK")
        kept.wait_until_kept()
    assert kept.worker.method_queue._queue.empty()  # nobody has woken the main thread


def test_request_in_parts_gets_a_thread_when_it_has_arrived(kept):
    kept.client.sendall(REQUEST[:9])
    kept.turn()
    assert [bytes(each.data) for each in kept.worker.arrivals.values()] == [REQUEST[:9]]
    assert not kept.worker.keepalived_conns
    kept.client.sendall(REQUEST[9:])
    kept.turn()
    assert kept.answer().startswith(b"HTTP/1.1 200 OK")


def test_connection_that_its_client_closes_is_forgotten(kept):
    kept.client.close()
    kept.turn()
    assert (kept.worker.nr_conns, kept.worker.arrivals, [*kept.worker.keepalived_conns]) == (0, {}, [])


def test_second_request_that_came_with_the_first_is_answered(kept):
    kept.client.sendall(REQUEST * 2)
    kept.turn()
    kept.turn()  # the bytes that are left are the main thread's again
    assert kept.answer(count=2).count(b"HTTP/1.1 200 OK") == 2


def test_request_during_a_stop_is_answered_and_its_connection_closed(kept):
    kept.worker.alive = False
    kept.worker._cap_keepalive(0)
    kept.client.sendall(REQUEST)
    kept.turn()
    assert b"\r\nConnection: close\r\n" in kept.answer()
    kept.turn()
    assert kept.client.recv(1) == b""
