"""How gunicorn serves the product: `gunicorn -c config/gunicorn.py config.wsgi`."""

import gc
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # gunicorn reads this file before it knows the project

from config.env import Env

env = Env()
Env.read_env(Path(__file__).resolve().parent.parent / ".env")

bind = f"{env.str('HOST', default='127.0.0.1')}:{env.at_least('PORT', 1, default=8000)}"
workers = env.at_least("WEB_WORKERS", 1, default=2)
# Threads, so that a slow client or provider holds a thread and not a whole worker; more of them only wait for the GIL.
worker_class = "gthread"
threads = 4
timeout = 30
graceful_timeout = 10
limit_request_line = 4094  # bytes; what is longer is answered 400 or 431 before the product sees it
limit_request_fields = 64
limit_request_field_size = 8190
accesslog = None  # the addresses in it would hold the phone numbers that were searched for
errorlog = "-"
loglevel = "warning"


def post_worker_init(_worker: object) -> None:
    """What stands once the product is loaded never becomes garbage: it need not be looked through again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)
