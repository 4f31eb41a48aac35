"""Commands in forked processes."""

from contextlib import contextmanager
from multiprocessing import get_context

from django.core.management import call_command
from django.db import connection


@contextmanager
def forked_command(*arguments):
    """Run a command in a forked process; kill it if it still runs at the end."""
    connection.close()  # the process opens its own
    process = get_context("fork").Process(target=call_command, args=arguments)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()
