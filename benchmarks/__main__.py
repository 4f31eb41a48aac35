"""`python -m benchmarks` and `python -m benchmarks policies`."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from benchmarks import command, policy_cost  # noqa: E402  # models can be imported from here on

if sys.argv[1:2] == ["policies"]:
    policy_cost.Command().run_from_argv(["python -m benchmarks", *sys.argv[1:]])
else:
    command.Command().run_from_argv(["python -m", "benchmarks", *sys.argv[1:]])
