"""The web server with slow, odd and hostile clients: a real gunicorn with config/gunicorn.py."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from django.conf import settings

from crm.error_codes import ErrorCode
from tests.db.scratch import wait_until

THREADS = 4  # of the one process
GIVE_UP_S = 300  # only for broken code
UNFINISHED = {
    "nothing": b"",
    "request line": b"GET /healthz HT",
    "headers": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "body": b"POST /api/v1/auth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
    "webhook": b"POST /webhooks/openphone/acme HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n{",
    "empty lines": b"\r\n\r\n\r\n\r\n",
}

GUNICORN = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py"]

# What the server does before it makes its processes.
PRELOAD = """
import os, runpy, sys, threading
gunicorn = runpy.run_path("config/gunicorn.py")
gunicorn["on_starting"](None)
from django.conf import settings
missing = [name for name in gunicorn["SHARED_PACKAGES"] if name not in sys.modules]
tasks = os.listdir("/proc/self/task") if os.path.isdir("/proc/self/task") else threading.enumerate()
files = os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []
links = [os.readlink(f"/proc/self/fd/{file}") for file in files if os.path.lexists(f"/proc/self/fd/{file}")]
sockets = [link for link in links if link.startswith("socket")]
print(missing, len(tasks), sockets, settings.configured, "crm" in sys.modules)
gunicorn["on_exit"](None)
"""

pytestmark = pytest.mark.slow


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def make_environment(folder, **more):
    return (
        os.environ
        | {
            "DATABASE_URL": f"sqlite:///{folder}/web.sqlite3",
            "WEB_WORKERS": "1",
            "DEBUG": "false",
            "TMPDIR": str(folder),
        }
        | more
    )


def read_all(connection):
    return b"".join(iter(lambda: connection.recv(65_536), b""))


class Server:
    def __init__(self, folder, timeout_s, *arguments, **more):
        self.port = free_port()
        environment = make_environment(folder, PORT=str(self.port), WEB_REQUEST_TIMEOUT_S=str(timeout_s), **more)
        with Path(folder, "web.log").open("w") as log:
            self.process = subprocess.Popen(
                [*GUNICORN, *arguments, "config.wsgi"], cwd=settings.BASE_DIR, env=environment, stderr=log
            )
        wait_until(self.answers)

    def answers(self):
        assert self.process.poll() is None
        try:
            return self.status(self.get("/healthz")) == 200
        except OSError:
            return False

    def has_a_thread(self):
        """Return whether an answer comes; health checks have threads of their own."""
        return self.status(self.get("/nowhere")) == 404

    def connect(self, data=b"", receive_buffer=None):
        connection = socket.socket()
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(GIVE_UP_S)
        try:
            connection.connect(("127.0.0.1", self.port))
            connection.sendall(data)
        except OSError:
            connection.close()
            raise
        return connection

    def send(self, data):
        """Return everything that the server answers until it closes the connection."""
        with self.connect(data) as connection:
            return read_all(connection)

    def get(self, path, *headers):
        return self.send("\r\n".join([f"GET {path} HTTP/1.0", "Host: localhost", *headers, "", ""]).encode())

    @staticmethod
    def status(answer):
        return int(answer.split(b" ", 2)[1])


@contextmanager
def running(folder, timeout_s, *arguments, **more):
    server = Server(folder, timeout_s, *arguments, **more)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait()


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    """A server that waits for an hour: no answer of these tests is due to its time limit."""
    with running(tmp_path_factory.mktemp("patient"), 3600) as server:
        yield server


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A server that waits for a second."""
    with running(tmp_path_factory.mktemp("strict"), 1) as server:
        server.get("/nowhere")  # loads the URLs, which may take longer than a second
        yield server


@pytest.mark.parametrize("part", UNFINISHED.values(), ids=UNFINISHED)
def test_unfinished_requests_occupy_no_thread(part, patient):
    with ExitStack() as held:
        for _ in range(3 * THREADS):
            held.enter_context(patient.connect(part))
        assert patient.has_a_thread()


def test_full_server_closes_the_request_that_has_been_arriving_longest(tmp_path):
    with running(tmp_path, 3600, "--worker-connections", "6") as server, ExitStack() as held:
        slow = [held.enter_context(server.connect(UNFINISHED["body"])) for _ in range(20)]
        assert server.has_a_thread()
        assert slow[0].recv(1) == b""


def test_unfinished_bodies_are_kept_up_to_a_limit(patient):
    rest = b"x" * 8_900_000
    with ExitStack() as held:
        large = [held.enter_context(patient.connect(UNFINISHED["webhook"])) for _ in range(9)]  # 80 MB, of 64
        for each in large:
            with suppress(ConnectionError):
                each.sendall(rest)
        assert patient.has_a_thread()
        closed, _, _ = select.select(large, [], [], GIVE_UP_S)
        assert 0 < len(closed) < len(large)


def test_clients_that_do_not_close_after_their_answer_delay_nobody(patient):
    with ExitStack() as held:
        for _ in range(3 * THREADS):
            idle = held.enter_context(patient.connect(b"GET /nowhere HTTP/1.0\r\nHost: localhost\r\n\r\n"))
            assert idle.recv(12).endswith(b"404")
        assert patient.has_a_thread()


@pytest.mark.parametrize("part", [part for part in UNFINISHED.values() if part.strip()])
def test_request_that_does_not_arrive_in_time_is_closed(part, strict):
    assert strict.status(strict.send(part)) == 408


def test_connection_without_a_request_is_closed(strict):
    assert strict.send(b"") == b""


def test_byte_now_and_then_does_not_prolong_the_limit(strict):
    with strict.connect(UNFINISHED["body"]) as trickle:
        while not select.select([trickle], [], [], 0.05)[0]:
            trickle.sendall(b" ")
        assert trickle.recv(12).endswith(b"408")


def test_clients_that_do_not_read_their_answer_lose_it(strict):
    script = (
        b"GET /static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )
    with ExitStack() as held:
        for _ in range(2 * THREADS):
            held.enter_context(strict.connect(script, receive_buffer=4096))
        assert strict.has_a_thread()


def test_slow_but_whole_request_is_answered(patient):
    body = json.dumps({"refresh": "x" * 3000}).encode()
    with patient.connect() as slow:
        head = b"POST /api/v1/auth/token/refresh HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        for piece in [
            b"\r\n",
            head,
            b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body),
            body[:9],
            body[9:],
        ]:
            slow.sendall(piece)
            assert not select.select([slow], [], [], 0)[0]
        answer = b"".join(iter(lambda: slow.recv(65_536), b""))
    assert Server.status(answer) == 400
    assert b"2000 characters" in answer


def test_requests_in_one_piece_are_answered_in_order(patient):
    first, last = (
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /nowhere HTTP/1.0\r\nHost: localhost\r\n\r\n",
    )
    answer = patient.send(first + first + last)
    assert answer.count(b"200 OK") == 2
    assert b" 404 " in answer.rpartition(b"200 OK")[2]


def test_expected_continuation_is_sent(patient):
    with patient.connect(UNFINISHED["body"][:-5] + b"\r\nExpect: 100-continue\r\n\r\n") as waiting:
        assert waiting.recv(12) == b"HTTP/1.1 100"


def code_of(answer):
    """Return the code of an error, whether or not the body has come in chunks."""
    found = re.search(rb'\r\n(\{"type": .*\})', answer)
    return json.loads(found[1])["errors"][0]["code"]


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 5_000_000])
def test_connection_is_usable_after_a_refused_body(size, patient):
    """A browser sends its next request on the same connection."""
    head = b"POST /api/v1/auth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size
    last = b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n"
    _, refused, answer = re.split(rb"HTTP/1\.[01] ", patient.send(head + b"x" * size + last))
    assert (refused[:3], code_of(refused)) == (b"413", "body_too_large")
    assert b"connection: keep-alive" in refused.lower()
    assert answer.startswith(b"200 OK")


def test_upload_larger_than_the_memory_for_bodies_reaches_its_view(patient):
    size = 100 * 1024 * 1024
    head = b"POST /api/v1/imports HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size
    answer = patient.send(head + b"x" * size)
    assert Server.status(answer) == 401
    assert b'"not_authenticated"' in answer
    assert b"\r\nconnection: close\r\n" in answer.lower()
    too_large = patient.send(head.replace(b"%d" % size, b"%d" % (6 * size)))
    assert (Server.status(too_large), code_of(too_large)) == (413, "body_too_large")
    assert patient.has_a_thread()


def test_many_uploads_at_once_are_refused(patient):
    head = b"POST /api/v1/imports HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\nx"
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(patient.connect(head))
        assert patient.has_a_thread()
        wait_until(lambda: patient.status(patient.send(head)) == 503)


@pytest.mark.parametrize("header", [b"Content-Length: 10485761", b"Transfer-Encoding: chunked"])
def test_connection_whose_body_is_not_read_is_closed_and_says_so(header, patient):
    answer = patient.send(b"POST /api/v1/auth/token HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n" % header)
    assert Server.status(answer) in (411, 413)
    assert b"\r\nconnection: close\r\n" in answer.lower()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"Transfer-Encoding: chunked", 411),
        (b"Content-Length: 99999999999", 413),
        (b"Content-Length: " + b"9" * 5000, 400),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 5", 400),
        (b"Content-Length: 5\r\nContent-Length: 6", 400),
        (b"X-Filler: " + b"x" * 9000, 431),
        (b"\r\n".join(b"X-%d: %s" % (n, b"x" * 8000) for n in range(10)), 431),
    ],
)
def test_refusal_needs_no_body(headers, status, strict):
    answer = strict.send(b"POST /api/v1/auth/token HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n" % headers)
    assert strict.status(answer) == status
    assert code_of(answer) in ErrorCode


@pytest.mark.parametrize(
    ("line", "status", "code"),
    [
        (b"GET /api/v1/calls?" + b"x" * 9000 + b" HTTP/1.1", 414, "url_too_long"),
        (b"GET /api/v1/calls HTTP/9.9", 400, "bad_request"),
        (b"nonsense", 400, "bad_request"),
    ],
)
def test_malformed_request_has_the_errors_of_the_api(line, status, code, strict):
    answer = strict.send(line + b"\r\nHost: localhost\r\n\r\n")
    assert strict.status(answer) == status
    assert b"Content-Type: application/json\r\n" in answer
    assert code_of(answer) == code


@pytest.mark.parametrize(
    "header",
    ["SCRIPT_NAME: /elsewhere", "PATH_INFO: /nowhere", "X-Forwarded-Host: evil.example.com", "X-Forwarded-Prefix: /x"],
)
def test_forwarded_header_of_a_client_changes_nothing(header, patient):
    assert patient.status(patient.get("/healthz", header)) == 200
    assert b"Location: /admin/\r\n" in patient.get("/", header)


def test_contradicting_scheme_headers_are_no_error(patient):
    assert patient.status(patient.get("/healthz", "X-Forwarded-Proto: https", "X-Forwarded-Ssl: off")) == 200


def test_stop_does_not_wait_for_connections_without_a_request(tmp_path):
    with running(tmp_path, 3600) as server, server.connect() as idle:
        server.process.send_signal(signal.SIGTERM)
        with suppress(ConnectionResetError):  # it may not have been accepted yet
            assert idle.recv(1) == b""
        assert server.process.wait(GIVE_UP_S) == 0


def test_server_with_a_wrong_key_ends_and_names_it(tmp_path):
    environment = make_environment(tmp_path, PORT=str(free_port()))
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=settings.BASE_DIR, env=environment, check=True)
    environment["PRIVACY_KEY"] = "another-key-of-hashes-for-another-place"
    ended = subprocess.run([*GUNICORN, "config.wsgi"], cwd=settings.BASE_DIR, env=environment, capture_output=True)
    assert ended.returncode != 0
    assert b"PRIVACY_KEY isn't the one" in ended.stderr


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_server_and_product_log_in_one_format_without_personal_data(log_format, tmp_path, monkeypatch):
    monkeypatch.setenv("LOG_FORMAT", log_format)
    with running(tmp_path, 3600) as server:
        server.get("/nowhere/2125550142?search=Zelda", "X-Request-ID: mine")
        assert server.status(server.send(b"GET /healthz HTTP/2125550142\r\nHost: localhost\r\n\r\n")) == 400
        log = Path(tmp_path, "web.log")
        wait_until(lambda: "gunicorn.error" in log.read_text())
    text = log.read_text()
    assert "Zelda" not in text
    assert "5550142" not in text
    lines = [json.loads(line) if log_format == "json" else line.split(" ", 5) for line in text.splitlines()]
    if log_format == "text":
        lines = [{"logger": line[4].rstrip(":"), "request_id": line[3]} for line in lines]
    assert [(line["logger"], line["request_id"]) for line in lines if line["logger"] != "crm.services.self_check"] == [
        ("config.request_log", "mine"), ("gunicorn.error", "-"),
    ]  # fmt: skip


def test_packages_are_loaded_before_the_processes_without_threads_connections_and_the_product(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PRELOAD],
        cwd=settings.BASE_DIR,
        env=make_environment(tmp_path),
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "[] 1 [] False False", done.stderr


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="only Linux lists threads as files")
def test_process_that_makes_the_others_has_one_thread(patient):
    assert len(list(Path(f"/proc/{patient.process.pid}/task").iterdir())) == 1


# --- A database that hangs ---
