"""Entry point of `python -m benchmarks`."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DEBUG", "false")  # else Django keeps the text of each statement
django.setup()

from benchmarks.command import Command  # noqa: E402  # models need Django to be set up

Command().run_from_argv(["python -m", "benchmarks", *sys.argv[1:]])
