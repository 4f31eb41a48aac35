"""Files of `deploy/`: systemd units, nginx, Dockerfile, compose and the template of production's settings."""

import http.client
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands, load_command_class

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "User": "crm",
}
ANALYZE, NGINX = shutil.which("systemd-analyze"), shutil.which("nginx", path="/usr/sbin:/usr/bin")
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")  # folders that nginx makes
# Variables of the images and of compose itself, not of the product.
OTHER_VARIABLES = {"POSTGRES_PASSWORD", "OWNER_PASSWORD", "APP_PASSWORD"}


def name_of(path):
    return path.name


def directives(unit):
    """Return the directives of a unit, by name."""
    found = {}
    for line in unit.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, value = line.split("=", 1)
            found.setdefault(name, []).append(value)
    return found


def variables(path):
    return {line.split("=")[0].lstrip("#") for line in path.read_text().splitlines() if re.match(r"#?[A-Z_]+=", line)}


def check_command(words):
    """Parse `manage.py NAME …` with the command's own parser."""
    name, *arguments = words[words.index("manage.py") + 1 :]
    command = load_command_class(get_commands()[name], name)
    command.create_parser("manage.py", name).parse_args(arguments)


@pytest.mark.parametrize("unit", SERVICES, ids=name_of)
def test_service_is_hardened_and_reads_its_settings_from_a_file(unit):
    found = directives(unit)
    assert {name: found.get(name) for name in HARDENED} == {name: [value] for name, value in HARDENED.items()}
    assert found["EnvironmentFile"][0] == "/etc/crm/crm.env"
    assert "Environment" not in found


@pytest.mark.parametrize("unit", SERVICES, ids=name_of)
def test_command_of_a_service_exists_with_its_options(unit):
    [start] = directives(unit)["ExecStart"]
    # The shell puts a day into it.
    words = re.sub(r"\$\$\(.*?\)", "2026-03-31", start.removeprefix("/bin/sh -c 'exec ").removesuffix("'")).split()
    if words[0].endswith("gunicorn"):
        assert (ROOT / words[2]).is_file()
        return
    assert words[0] == "/srv/crm/.venv/bin/python"
    assert (ROOT / words[1]).is_file()
    check_command(words)


def test_timer_and_service_belong_together():
    timers = {unit.stem for unit in UNITS if unit.suffix == ".timer"}
    oneshot = {unit.stem for unit in SERVICES if directives(unit)["Type"] == ["oneshot"]}
    assert timers == oneshot == {"crm-archive", "crm-reconcile", "crm-maintenance", "crm-backup"}


def test_worker_has_more_time_to_stop_than_a_task_has_with_a_provider():
    assert int(directives(DEPLOY / "systemd" / "crm-work@.service")["TimeoutStopSec"][0]) > 30


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=name_of)
def test_systemd_accepts_the_unit(unit, tmp_path):
    """The programs of the units aren't installed here, so /bin/true stands for them."""
    for other in UNITS:
        text = re.sub(r"/srv/crm/\.venv/bin/\w+", "/bin/true", other.read_text())
        text = text.replace("WorkingDirectory=/srv/crm", "WorkingDirectory=/")
        (tmp_path / other.name).write_text(re.sub(r"(EnvironmentFile|User|Group|ReadWritePaths)=.*", "", text))
    checked = subprocess.run([ANALYZE, "verify", tmp_path / unit.name], capture_output=True, text=True)
    # Other units of this machine may have faults of their own.
    assert not [line for line in checked.stderr.splitlines() if "crm-" in line]


def test_every_variable_of_the_template_is_in_the_example_of_settings():
    assert variables(DEPLOY / "production.env") <= variables(ROOT / ".env.example")


def test_nginx_sends_whole_requests_with_the_headers_that_the_product_reads():
    text = (DEPLOY / "nginx" / "crm.conf").read_text()
    lines = {line.strip().rstrip(";") for line in text.splitlines()}
    assert {
        "proxy_request_buffering on",
        "proxy_buffering on",
        "proxy_set_header Host $host",
        "proxy_set_header X-Forwarded-For $remote_addr",
        "proxy_set_header X-Forwarded-Proto $scheme",
        "client_max_body_size 10m",
        "access_log off",
        "proxy_next_upstream off",
    } <= lines
    assert text.count("{") == text.count("}")
    code = [line for line in lines if line and not line.startswith("#")]
    assert all(re.search(r"^}$|\{$", line) or " " in line for line in code)


def test_nginx_lets_large_files_pass_where_the_product_takes_them():
    text = (DEPLOY / "nginx" / "crm.conf").read_text()
    [pattern] = re.findall(r"location ~ (\S+) \{\n\s+client_max_body_size 501m;", text)
    assert all(re.match(pattern, path) for path in settings.UPLOADS)


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_nginx_accepts_the_site(tmp_path):
    site = re.sub(r"    (ssl_certificate.*|listen .*443.*)\n", "", (DEPLOY / "nginx" / "crm.conf").read_text())
    (tmp_path / "site.conf").write_text(site.replace("server_name crm", "listen 8443;\n server_name crm"))
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{ include {tmp_path}/site.conf; }}\n"
    )
    checked = subprocess.run([NGINX, "-t", "-c", tmp_path / "nginx.conf"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


class Ready(BaseHTTPRequestHandler):
    """Stands for the web server."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def nginx(tmp_path):
    """The address of nginx with the part of the site for plain HTTP."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Ready) as web, socket.create_server(("127.0.0.1", 0)) as free:
        Thread(target=web.serve_forever, daemon=True).start()
        port = free.getsockname()[1]
        site = (DEPLOY / "nginx" / "crm.conf").read_text().replace("127.0.0.1:8000", f"127.0.0.1:{web.server_port}")
        plain = re.sub(r"    listen \[.*\n", "", site[: site.index("server {", site.index("return 301"))])
        (tmp_path / "site.conf").write_text(plain.replace("listen 80", f"listen 127.0.0.1:{port}"))
        folders = "".join(f"{name}_temp_path {tmp_path}/{name}; " for name in TEMPORARY)
        (tmp_path / "nginx.conf").write_text(
            f"daemon off; pid {tmp_path}/pid; error_log stderr; events {{}}\n"
            f"http {{ access_log off; {folders} include {tmp_path}/site.conf; }}\n"
        )
        free.close()
        with subprocess.Popen([NGINX, "-p", tmp_path, "-c", tmp_path / "nginx.conf"], stderr=subprocess.PIPE) as server:
            for _ in range(500):
                with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.01)
            yield f"127.0.0.1:{port}"
            server.terminate()
        web.shutdown()


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_nginx_redirects_people_but_no_health_check(nginx):
    statuses = {}
    for path in ("/healthz", "/readyz", "/admin/", "/healthz/x"):
        connection = http.client.HTTPConnection(nginx, timeout=10)
        connection.request("GET", path, headers={"Host": "10.0.0.7"})
        statuses[path] = connection.getresponse().status
        connection.close()
    assert statuses == {"/healthz": 200, "/readyz": 200, "/admin/": 301, "/healthz/x": 301}


def dockerfile():
    """Return the Dockerfile's instructions with their arguments, in order."""
    text = re.sub(r"\\\n", "", re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.M))
    return [tuple(line.split(" ", 1)) for line in text.splitlines() if line.strip()]


def test_hadolint_accepts_the_dockerfile():
    hadolint = Path(sys.executable).parent / "hadolint"
    linted = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True)
    assert (linted.returncode, linted.stdout) == (0, "")


def test_image_installs_by_hashes_and_runs_as_a_user_with_a_health_check():
    steps = dockerfile()
    assert all("--require-hashes" in step for _, step in steps if "pip install" in step)
    last = steps[[name for name, _ in steps].index("FROM", 1) :]
    assert [step for name, step in last if name == "USER"] == ["10001"]
    assert "/healthz" in next(step for name, step in last if name == "HEALTHCHECK")


def test_every_path_that_the_image_copies_exists_and_is_let_through():
    copied = {step.split()[0] for name, step in dockerfile() if name == "COPY" and not step.startswith("--from")}
    assert all((ROOT / path).exists() for path in copied)
    allowed = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] == "!"}
    assert copied == allowed


def test_compose_runs_existing_commands_with_known_variables():
    text = (DEPLOY / "compose.yml").read_text()
    services = yaml.safe_load(text)["services"]
    assert set(services) == {"database", "pooler", "migrate", "web", "stream", "worker"}
    assert services["database"]["image"] == "postgres:18"
    assert services["pooler"]["environment"]["POOL_MODE"] == "transaction"
    check_command(services["worker"]["command"])
    for command in services["migrate"]["command"][-1].split(" && "):
        check_command(command.split())
    assert set(re.findall(r"\$\{(\w+)", text)) <= OTHER_VARIABLES
    for name in ("migrate", "web", "worker"):
        assert set(services[name]["environment"]) <= variables(ROOT / ".env.example")
        assert services[name]["read_only"]
    assert "127.0.0.1:8000:8000" in services["web"]["ports"]
    assert all(service["logging"] == {"driver": "local"} for service in services.values())
    for script in re.findall(r"\./(\w+\.sh)", text):
        assert (DEPLOY / script).is_file()


def test_product_of_compose_knows_no_password_but_the_application_role_s():
    services = yaml.safe_load((DEPLOY / "compose.yml").read_text())["services"]
    assert variables(DEPLOY / "passwords.env.example") == OTHER_VARIABLES
    assert not variables(DEPLOY / "production.env") & OTHER_VARIABLES
    for name in ("web", "stream", "worker"):
        assert services[name]["env_file"] == ".env"
        assert set(re.findall(r"\$\{(\w+)", str(services[name]))) == {"APP_PASSWORD"}


def test_compose_lets_each_process_end_in_the_time_of_its_unit():
    services = yaml.safe_load((DEPLOY / "compose.yml").read_text())["services"]
    for name, unit in {"web": "crm-web", "stream": "crm-stream", "worker": "crm-work@"}.items():
        [seconds] = directives(DEPLOY / "systemd" / f"{unit}.service")["TimeoutStopSec"]
        assert services[name]["stop_grace_period"] == f"{seconds}s"


def test_both_poolers_wait_as_long_for_a_connection():
    services = yaml.safe_load((DEPLOY / "compose.yml").read_text())["services"]
    [seconds] = re.findall(r"^query_wait_timeout = (\d+)$", (DEPLOY / "pgbouncer.ini").read_text(), re.M)
    assert services["pooler"]["environment"]["QUERY_WAIT_TIMEOUT"] == seconds


@pytest.mark.parametrize("script", sorted(DEPLOY.glob("*.sh")), ids=name_of)
def test_script_is_valid_and_executable(script):
    assert subprocess.run(["/bin/sh", "-n", script], capture_output=True).returncode == 0
    assert script.stat().st_mode & 0o111


@pytest.mark.slow
def test_build_steps_of_the_image_work_outside_of_a_container(tmp_path):
    built = subprocess.run(
        [DEPLOY / "build_steps.sh", tmp_path / "image", sys.executable], capture_output=True, text=True
    )
    if (
        re.search(r"No matching distribution|Could not fetch|connection|resolve", built.stderr, re.I)
        and built.returncode
    ):
        pytest.skip(f"no packages can be installed here: {built.stderr[-200:]}")
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "image" / "staticfiles" / "admin").is_dir()
    assert not list((tmp_path / "image").glob(".env*"))
    assert "no issues" in built.stdout
