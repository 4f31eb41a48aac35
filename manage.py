#!/usr/bin/env python
"""Django's command line."""

import gc
import os
import sys

from django.core.management import execute_from_command_line

from config.load import load_settings

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    gc.set_threshold(10_000)  # as the web server: at a start, nearly nothing of what is loaded is garbage
    load_settings()
    execute_from_command_line(sys.argv)
