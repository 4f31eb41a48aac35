"""gunicorn configuration: `gunicorn -c config/gunicorn.py config.wsgi`."""

import gc
import importlib
import sys
from pathlib import Path

# gunicorn loads this file before the project is importable.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from config.env import Env

env = Env()
Env.read_env(Path(__file__).resolve().parent.parent / ".env")

bind = f"{env.str('HOST', default='127.0.0.1')}:{env.at_least('PORT', 1, default=8000)}"
workers = env.at_least("WEB_WORKERS", 1, default=2)
# A slow client or provider blocks a thread, not a process. More threads would only wait for the GIL.
worker_class = "gthread"
threads = 4
timeout = 30
graceful_timeout = 10
limit_request_line = 4094  # bytes; longer requests get a 400 or 431 from gunicorn
limit_request_fields = 64
limit_request_field_size = 8190
accesslog = None  # its URLs would contain searched phone numbers
errorlog = "-"
loglevel = "warning"


def post_worker_init(_worker: object) -> None:
    """Load what the first reply would wait for, and exclude it from garbage collection: it is never freed."""
    importlib.import_module("phonenumbers.geocoder")
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)
