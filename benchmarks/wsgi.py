"""WSGI application of a benchmark: the product, and the naive endpoints beside it."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
settings.ROOT_URLCONF = "benchmarks.naive"
