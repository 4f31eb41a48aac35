"""Loading of the settings at a start, before Django or gunicorn does it."""

import sys
from types import ModuleType

from django.core.exceptions import ImproperlyConfigured


def load_settings() -> ModuleType:
    """Return the settings. Missing or invalid ones end the process with one message that names each of them.

    gunicorn would restart workers that exit, and Django's commands show a traceback.
    """
    try:
        from config import settings
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    return settings
