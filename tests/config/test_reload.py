"""Reload of the web server by HUP: a real gunicorn in a copy of the project, whose code and `.env` change."""

import os
import shutil
import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import pytest
from django.conf import settings

from tests.config.test_web_worker import free_port
from tests.db.scratch import wait_until

APPS = ["config", "crm", "calls", "messaging", "analytics", "ops"]

pytestmark = pytest.mark.slow


class ReloadedServer:
    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        for app in APPS:
            shutil.copytree(Path(settings.BASE_DIR, app), folder / app, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(Path(settings.BASE_DIR, "pyproject.toml"), folder)
        self.write_settings("first.example.com")
        environment = {name: value for name, value in os.environ.items() if name != "ALLOWED_HOSTS"}
        self.log = (folder / "log").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi"],
            cwd=folder,
            env=environment
            | {"DATABASE_URL": f"sqlite:///{folder}/web.sqlite3", "PORT": str(self.port), "WEB_WORKERS": "1"},
            stderr=self.log,
        )
        wait_until(lambda: self.serves("first.example.com"))

    def write_settings(self, host, *lines):
        (self.folder / ".env").write_text("\n".join([f"ALLOWED_HOSTS={host}", "DEBUG=false", *lines]))

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def get(self, path, host):
        """Return status and body, or None while the server doesn't listen."""
        assert self.process.poll() is None, "the server ended"
        client = HTTPConnection("127.0.0.1", self.port, timeout=300)
        try:
            client.request("GET", path, headers={"Host": host})
            response = client.getresponse()
            return response.status, response.read().decode()
        except OSError:
            return None
        finally:
            client.close()

    def serves(self, host):
        """Return whether ALLOWED_HOSTS has the host: the redirect to the admin, not 400."""
        answer = self.get("/", host)
        return answer is not None and answer[0] == 302


@pytest.fixture
def server(tmp_path):
    server = ReloadedServer(tmp_path)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait()
        server.log.close()


def test_reload_reads_the_settings_of_env_again(server):
    server.write_settings("second.example.com")
    server.reload()
    wait_until(lambda: server.serves("second.example.com"))
    assert server.get("/", "first.example.com")[0] == 400


def test_reload_forgets_a_setting_that_was_removed(server):
    (server.folder / ".env").write_text("DEBUG=false")
    server.reload()
    wait_until(lambda: server.serves("localhost"))
    assert server.get("/", "first.example.com")[0] == 400


def test_reload_reads_the_code_of_config_and_of_the_apps_again(server):
    health, errors = server.folder / "config" / "health.py", server.folder / "crm" / "api" / "base" / "errors.py"
    health.write_text(health.read_text().replace('"status": "ok"', '"status": "changed"'))
    errors.write_text(
        errors.read_text() + "\nprint('errors.py was changed', flush=True, file=__import__('sys').stderr)\n"
    )
    server.reload()
    wait_until(lambda: (server.get("/healthz", "first.example.com") or ("", ""))[1] == '{"status": "changed"}')
    server.get("/", "first.example.com")  # loads the URLs
    assert "errors.py was changed" in (server.folder / "log").read_text()


def test_reload_with_invalid_settings_names_them_and_keeps_the_server(server):
    server.write_settings("second.example.com", "LOG_LEVEL=LOUD")
    server.reload()
    wait_until(lambda: "present settings" in (server.folder / "log").read_text())
    assert "LOG_LEVEL is 'LOUD'" in (server.folder / "log").read_text()
    wait_until(lambda: server.serves("first.example.com"))
    server.write_settings("second.example.com")
    server.reload()
    wait_until(lambda: server.serves("second.example.com"))
