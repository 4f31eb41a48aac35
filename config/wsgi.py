"""The WSGI application that gunicorn serves."""

import os
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest


class Utf8Request(WSGIRequest):
    """A request in UTF-8, as programs (RFC 8259) and our own forms send it, whatever its Content-Type says.

    Django would read it in that charset, which may be any codec of Python: `zlib` lets a small body fill the memory,
    and others make the request fail before any middleware.
    """

    @property
    def encoding(self) -> Any:
        return None

    @encoding.setter
    def encoding(self, charset: Any) -> None:
        pass


class Handler(WSGIHandler):
    request_class = Utf8Request


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)
application = Handler()
