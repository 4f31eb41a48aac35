"""The WSGI application that a run starts: the product, and the routes that it is compared with."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
settings.ROOT_URLCONF = "benchmarks.urls"
