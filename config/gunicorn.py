"""gunicorn configuration: `gunicorn -c config/gunicorn.py config.wsgi`."""

import gc
import importlib
import os
import shutil
import sys
import tempfile
from copy import deepcopy
from itertools import count
from logging.config import DictConfigurator
from pathlib import Path
from types import ModuleType
from typing import Any

# gunicorn loads this file before the project is importable.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger


def load_again() -> ModuleType:
    """Return the settings. After a HUP, which runs this file again, read them and the modules of `config` again.

    If the new settings are invalid, the server goes on with the present ones.
    """
    present = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "config"}
    try:
        return importlib.import_module("config.load").load_settings()
    except SystemExit as error:
        if not present:
            raise
        print(error, "The server goes on with its present settings.", sep="\n", file=sys.stderr, flush=True)
        sys.modules.update(present)
        return present["config.settings"]


settings = load_again()

# Packages that are loaded before the processes are made, which then share their memory. They start no thread, open no
# connection and read no settings. The product itself is loaded after that, so that a HUP reads it again.
SHARED_PACKAGES = (
    "cryptography.fernet", "django.contrib.admin.utils", "django.contrib.postgres.fields",
    "django.core.handlers.wsgi", "django.core.management", "django.db.backends.postgresql.base",
    "django.db.migrations.loader", "httpx", "jwt", "pglast", "phonenumbers.timezone", "psycopg2",
    "rest_framework.fields", "segno",
)  # fmt: skip

bind = f"{settings.WEB_HOST}:{settings.WEB_PORT}"
workers = settings.WEB_WORKERS
# A slow provider or query blocks a thread, not a process. More threads would only wait for the GIL.
worker_class = "config.web_worker.WebWorker"
threads = 4
worker_connections = 500  # below the usual limit of 1,024 open files
timeout = 30
graceful_timeout = 10  # seconds that a stop waits for requests, also for those of which only a part has arrived
limit_request_line = 4094  # bytes; longer requests get a 400 or 431 from gunicorn
limit_request_fields = 64
limit_request_field_size = 8190
# Only Django reads headers of proxies. From a client, gunicorn's own would change paths or cause errors.
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}
accesslog = None  # its URLs would contain searched phone numbers
errorlog = "-"
# Nobody uses it. Its folder may not be writable, and its thread would run while the server makes processes.
control_socket_disable = True
loglevel = "warning"


class ServerLog(Logger):
    """gunicorn's log in the product's format: its own would show URLs."""

    def setup(self, cfg: Any) -> None:
        from config.logs import RequestIDFilter

        super().setup(cfg)
        config = deepcopy(settings.LOGGING)  # it would be emptied
        line = DictConfigurator(config).configure_formatter(config["formatters"]["line"])
        for handler in self.error_log.handlers:
            handler.setFormatter(line)
            handler.addFilter(RequestIDFilter())


logger_class = ServerLog


def on_starting(_server: Arbiter) -> None:
    """Make the folder of the request histogram, in the place of gunicorn's own temporary files. Load packages."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="crm-metrics-")
    for package in SHARED_PACKAGES:
        importlib.import_module(package)
    gc.collect()
    gc.freeze()  # garbage collection in a process would write to what it shares


def pre_fork(server: Arbiter, worker: Any) -> None:
    """Give the process a number. It goes on with an ended one's histogram: sums never fall, and files stay few."""
    taken = {other.number for other in server.WORKERS.values()}
    worker.number = next(number for number in count() if number not in taken)


def post_fork(_server: Arbiter, worker: Any) -> None:
    from prometheus_client import values

    values.ValueClass = values.MultiProcessValue(lambda: worker.number)  # before a metric exists
    gc.disable()  # a tenth of the start: what the product loads, it keeps


def on_exit(_server: Arbiter) -> None:
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def post_worker_init(_worker: object) -> None:
    """Do the self-check, load the pages, and keep what is loaded from garbage collection."""
    from django.urls import get_resolver

    from crm.services.self_check import WrongDatabase, check_web_start

    try:
        check_web_start()
    except WrongDatabase as error:
        print(error, file=sys.stderr)
        sys.exit(Arbiter.APP_LOAD_ERROR)  # ends the server; with another status it would start the process again
    get_resolver().url_patterns  # noqa: B018  # loads them, so that the first request doesn't wait for it
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(10_000)
