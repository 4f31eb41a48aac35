"""How gunicorn serves the product; `gunicorn -c config/gunicorn.py config.wsgi`."""

import os

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_WORKERS", "2"))
# Threads, so that a slow client or provider holds a thread and not a whole worker; more of them only wait for the GIL.
worker_class = "gthread"
threads = 4
timeout = 30
graceful_timeout = 10
accesslog = None  # addresses hold phone numbers in searches
errorlog = "-"
loglevel = os.environ.get("WEB_LOG_LEVEL", "warning")
