"""The product's commands and processes, as docs/deploying.md starts them."""

import os
import signal
import socket
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from secrets import token_bytes, token_urlsafe
from typing import Any

import httpx

from drill.observations import require, wait_until

ROOT = Path(__file__).resolve().parents[1]
HOST, METRICS_TOKEN = "crm.example.com", token_urlsafe()
COMPANY, USERNAME, PASSWORD = "summit-roofing", "manager", "demo"  # of `seed_demo`
KEYS = {
    "SECRET_KEY": token_urlsafe(50),
    "SECRETS_KEYS": urlsafe_b64encode(token_bytes(32)).decode(),
    "PRIVACY_KEY": token_urlsafe(50),
}
PRODUCTION = KEYS | {
    "ENVIRONMENT": "production",
    "DEBUG": "false",
    "ALLOWED_HOSTS": HOST,
    "PUBLIC_URL": f"https://{HOST}",
    "SMS_BACKEND": "provider",
    "SMS_PER_SECOND": "20",
    "METRICS_TOKEN": METRICS_TOKEN,
    "LOG_LEVEL": "INFO",
    "NO_PROXY": "127.0.0.1",
}
STOP_S = 30


class Product:
    """One installation: production's settings, a web server on a port of its own, and a worker."""

    def __init__(self, name: str, *, folder: Path, provider_url: str, url: str, direct_url: str) -> None:
        self.name, self.folder, self.direct_url = name, folder, direct_url
        self.environment = os.environ | PRODUCTION | {"DATABASE_URL": url, "OPENPHONE_API_URL": provider_url}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.authorization: dict[str, str] = {}

    def __enter__(self) -> "Product":
        with ExitStack() as stack:
            # It stays open while the web server is restarted: clients wait and aren't refused.
            self.listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            port = self.listener.getsockname()[1]
            # As the proxy sends them. A connection that is kept would delay the stop of the web server.
            headers = {"Host": HOST, "X-Forwarded-Proto": "https", "Connection": "close"}
            client = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30, trust_env=False)
            self.http = stack.enter_context(client)
            stack.callback(self.stop)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def manage(self, *arguments: str, given: str = "", status: int = 0, **settings: str) -> str:
        """Run a command. Returns all that it wrote; raises Failed for another exit status."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.environment | settings, input=given, capture_output=True, text=True,
        )  # fmt: skip
        require(done.returncode == status, f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr[-500:]}")
        return (done.stdout + (done.stderr if status else "")).strip()

    def manage_as_owner(self, *arguments: str) -> str:
        return self.manage(*arguments, DIRECT_DATABASE_URL=self.direct_url)

    def start_web(self, **settings: str) -> subprocess.Popen[bytes]:
        file = self.listener.fileno()
        command = ["-m", "gunicorn", "-c", "config/gunicorn.py", "--bind", f"fd://{file}", "config.wsgi"]
        return self._start("web", command, settings, files=[file])

    def start_worker(self, *arguments: str, name: str = "worker", **settings: str) -> subprocess.Popen[bytes]:
        """Start a worker; it replaces the one of the same name."""
        return self._start(name, ["manage.py", "work", *arguments], settings)

    def _start(
        self, kind: str, command: list[str], settings: dict[str, str], *, files: Sequence[int] = ()
    ) -> subprocess.Popen[bytes]:
        self._end(kind)  # after a step that failed, it may still run
        with (self.folder / f"{self.name}-{kind}.log").open("ab") as log:
            self.processes[kind] = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT, env=self.environment | settings, pass_fds=files, stdout=log, stderr=log,
                start_new_session=True,  # Ctrl-C is for the drill, which then stops them
            )  # fmt: skip
        return self.processes[kind]

    def log_of(self, kind: str) -> str:
        return (self.folder / f"{self.name}-{kind}.log").read_text()

    def move(self, *, url: str, direct_url: str) -> None:
        """Stop the processes; those that start later use another database."""
        self.stop()
        self.environment["DATABASE_URL"], self.direct_url = url, direct_url

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for kind in [*self.processes]:
            self._end(kind)

    def _end(self, kind: str) -> None:
        process = self.processes.pop(kind, None)
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def wait_until_ready(self) -> float:
        """Return the seconds until /readyz is 200."""
        return wait_until(lambda: self.http.get("/readyz").status_code == 200, "/readyz is 200")

    def sign_in(self) -> None:
        self.authorization = self.sign_in_as(USERNAME)

    def sign_in_as(self, username: str) -> dict[str, str]:
        """Return the headers of this user's requests."""
        answer = self.http.post("/api/v1/auth/token", json={"username": username, "password": PASSWORD})
        require(answer.status_code == 200, f"signing in answered {answer.status_code}: {answer.text[:200]}")
        return {"Authorization": f"Bearer {answer.json()['access']}"}

    def call_api(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        """Request a path of the API as the demo's manager, or with the headers of another user."""
        return self.http.request(method, f"/api/v1/{path}", headers=headers or self.authorization, **more)

    def read_metric(self, name: str) -> float:
        """Return the value of a metric, with its labels in the name."""
        answer = self.http.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
        values = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
        require(name in values, f"/metrics answered {answer.status_code} without {name}")
        return float(values[name])
