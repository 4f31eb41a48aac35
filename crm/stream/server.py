"""The ASGI application of the stream: `GET /events?ticket=&after=`."""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from operator import itemgetter
from typing import Any
from urllib.parse import parse_qsl

import orjson
from django.conf import settings
from django.db import Error, connection

from crm.db.watchdog import REQUESTS
from crm.error_codes import ErrorCode
from crm.outages import RETRY_AFTER_S, outage_code
from crm.refusals import Refusal
from crm.stream.hub import Client, Hub

POLL_S = 1.0
SESSIONS_S = 10.0  # between looks for sessions that have ended
OUTAGE_S = 5.0  # between polls while the database fails
ANSWER_S = 18.0  # the longest wait for the database, other clients' included
HEARTBEAT_S = 15.0  # proxies close connections that are silent for a minute
LONGEST_S = 900.0  # then the client needs a new ticket
HEARTBEAT = b":\n\n"
METHODS = {"/events": ("GET",), "/healthz": ("GET", "HEAD")}
PARAMETERS = {"ticket", "after"}
HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx passes each message on at once
]

Send = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]
Receive = Callable[[], Coroutine[Any, Any, dict[str, Any]]]
logger = logging.getLogger(__name__)


class Stream:
    """The application. Its database work is done in one thread, one thing at a time."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.thread = ThreadPoolExecutor(1, "database")
        self.stopping = False

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif (methods := METHODS.get(scope["path"])) is None:
            await _refuse(send, ErrorCode.NOT_FOUND)
        elif (method := scope["method"]) not in methods:
            detail = f'Method "{method}" not allowed.'
            await _refuse(send, ErrorCode.METHOD_NOT_ALLOWED, detail, allow=", ".join(methods))
        elif scope["path"] == "/healthz":
            await _send_json(send, 200, {"status": "ok"})
        else:
            await self._serve(scope, receive, send)

    async def stop(self) -> None:
        """Tell every client to connect again."""
        self.stopping = True
        await self._in_thread(self.hub.end_all)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        polling = asyncio.create_task(self._poll())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        polling.cancel()
        with suppress(asyncio.CancelledError):
            await polling
        await self._in_thread(_disconnect)
        self.thread.shutdown()
        await send({"type": "lifespan.shutdown.complete"})

    async def _poll(self) -> None:
        """Poll the database for all clients, for ever. An outage is logged once with its end."""
        is_down, looked = False, time.monotonic()
        while True:
            try:
                more = await self._in_thread(self.hub.poll)
                if time.monotonic() > looked + SESSIONS_S:
                    await self._in_thread(self.hub.end_signed_out)
                    looked = time.monotonic()
            except Exception as error:
                if not is_down:
                    logger.exception("The changes can't be read; the stream tries again every %d s.", OUTAGE_S)
                is_down, more = True, False
                with suppress(type(error)):
                    await self._in_thread(_disconnect)
            else:
                if is_down:
                    logger.info("The changes can be read again.")
                is_down = False
            if not more:
                await asyncio.sleep(OUTAGE_S if is_down else POLL_S)

    async def _serve(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        parameters = dict(query)
        if unknown := parameters.keys() - PARAMETERS:
            await _refuse(send, ErrorCode.UNKNOWN_PARAMETER, attr=min(unknown))
            return
        if len(query) > len(parameters):
            repeated = next(name for name in parameters if [*map(itemgetter(0), query)].count(name) > 1)
            await _refuse(send, ErrorCode.INVALID, "Must be given once.", attr=repeated)
            return
        last_id = dict(scope["headers"]).get(b"last-event-id")
        after = parameters.get("after", last_id and last_id.decode("latin-1"))
        loop, awake = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(awake.set)

        connecting = asyncio.create_task(self._in_thread(self.hub.connect, parameters.get("ticket", ""), after, wake))
        try:
            client = await asyncio.wait_for(asyncio.shield(connecting), ANSWER_S)
        except Refusal as error:
            await _refuse(send, error.code, attr=error.attr)
            return
        except TimeoutError:
            connecting.add_done_callback(self._leave_late)
            await _refuse(send, ErrorCode.UNAVAILABLE)
            return
        except Error as error:
            if (code := outage_code(error)) is None:
                raise
            await _refuse(send, code)
            return
        if self.stopping:
            client.end("reconnect")
        await receive()  # the whole request; the next message says that the client has left
        leaving = asyncio.create_task(receive())
        leaving.add_done_callback(lambda _: awake.set())
        try:
            await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, *_cors(scope)]})
            await _send_messages(client, awake, leaving, send)
        finally:
            leaving.cancel()
            await self._in_thread(self.hub.leave, client)

    def _leave_late(self, connecting: "asyncio.Task[Client]") -> None:
        """Remove the client of a connection that was answered before."""
        if not connecting.cancelled() and connecting.exception() is None:
            self.thread.submit(self.hub.leave, connecting.result())

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.thread, _within_limit, function, *arguments)


def _within_limit(function: Callable[..., Any], *arguments: Any) -> Any:
    with REQUESTS.watch():
        return function(*arguments)


def _disconnect() -> None:
    connection.close()  # of the thread that calls this


def _cors(scope: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    """Return the header that lets the page read the stream, if the API lets its origin call it."""
    origin = dict(scope["headers"]).get(b"origin", b"").decode("latin-1")
    allowed = origin in settings.CORS_ALLOWED_ORIGINS or any(
        re.fullmatch(pattern, origin) for pattern in settings.CORS_ALLOWED_ORIGIN_REGEXES
    )
    return [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")] if allowed else []


async def _send_messages(client: Client, awake: asyncio.Event, leaving: asyncio.Task[Any], send: Send) -> None:
    until = time.monotonic() + LONGEST_S
    while not leaving.done():
        awake.clear()
        while client.messages and not leaving.done():
            await _send_body(send, client.messages.popleft())  # waits while the client's buffer is full
        if client.ending:
            await _send_body(send, client.ending, is_last=True)
            return
        try:
            async with asyncio.timeout(HEARTBEAT_S):
                await awake.wait()
        except TimeoutError:
            await _send_body(send, HEARTBEAT)
        if time.monotonic() > until:
            client.end("reconnect")


async def _send_body(send: Send, body: bytes, *, is_last: bool = False) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": not is_last})


async def _refuse(send: Send, code: ErrorCode, detail: str = "", *, attr: str | None = None, allow: str = "") -> None:
    """Send an error as the API does."""
    more = [(b"allow", allow.encode())] if allow else []
    if code.status == 503:
        more.append((b"retry-after", str(RETRY_AFTER_S).encode()))
    await _send_json(send, code.status, code.body(detail, attr=attr), *more)


async def _send_json(send: Send, status: int, body: dict[str, Any], *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store"), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await _send_body(send, orjson.dumps(body), is_last=True)
