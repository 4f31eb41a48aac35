"""Entry point of `python -m benchmarks` and `python -m benchmarks policies`."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from benchmarks import command, policies  # noqa: E402  # models need Django to be set up

if sys.argv[1:2] == ["policies"]:
    policies.Command().run_from_argv(["python -m benchmarks", *sys.argv[1:]])
else:
    command.Command().run_from_argv(["python -m", "benchmarks", *sys.argv[1:]])
