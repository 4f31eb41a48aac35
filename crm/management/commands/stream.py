"""Command that serves the stream of changes."""

import asyncio
import logging
import os
import signal
import socket
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from crm.services.self_check import WrongDatabase, wait_until_ready
from crm.stream.server import Stream

SLOW_MS = 30_000
STOP_S = 10

logger = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """A server that ends its streams before it stops."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        config = uvicorn.Config(
            stream, http="h11", ws="none", loop="asyncio", lifespan="on", log_config=None, access_log=False,
            server_header=False, timeout_graceful_shutdown=STOP_S,
        )  # fmt: skip
        super().__init__(config)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self.handle_exit, signum, None)
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self.stream.stop()
        await super().shutdown(sockets)


class Command(BaseCommand):
    help = "Serve the changes as server-sent events, at /events. Runs until stopped."
    requires_system_checks: list[str] = []  # they load all views, and with them half of the memory

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--host", default=settings.STREAM_HOST, help="address to listen on (default: STREAM_HOST, %(default)s)"
        )
        parser.add_argument(
            "--port", type=int, default=settings.STREAM_PORT,
            help="number of the port to listen on (default: STREAM_PORT, %(default)s)",
        )  # fmt: skip

    def handle(self, *, host: str, port: int, **options: Any) -> None:
        try:
            wait_until_ready(stop=Event())
        except WrongDatabase as error:
            raise CommandError(str(error)) from error
        with socket.create_server((host, port), backlog=2048, reuse_port=False) as listener:
            # The kernel drops a client that has not taken any data for so long.
            listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, "TCP_USER_TIMEOUT", 18), SLOW_MS)
            host, port = listener.getsockname()[:2]
            logger.info("Stream started: http://%s:%d/events, pid %d.", host, port, os.getpid())
            asyncio.run(Server(Stream()).serve(sockets=[listener]))
        logger.info("Stream stopped.")
