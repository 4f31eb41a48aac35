"""POST requests to URLs that users chose: to public addresses only, without redirects, and with limits.

The name is resolved once, and the connection made to the address that was checked: a name that resolves to another
address a moment later leads nowhere else.
"""

import ipaddress
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from socket import IPPROTO_TCP, getaddrinfo
from typing import Any

import httpcore
import httpx
from django.conf import settings

from crm.http_deadline import cut_after

CONNECT_S, READ_S, WHOLE_S = 3.0, 5.0, 10.0  # the whole is well under a worker's lease
MAX_ANSWER = 16 * 1024  # bytes that are read; the rest is not
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")  # Python calls others global, too, such as those of a site (fec0::)
# IPv6 addresses that stand for any IPv4 address, also a private one.
TRANSLATED = [ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")]


class RequestFailed(Exception):
    """There was no answer. The text says why, for people."""


@dataclass(frozen=True)
class Answer:
    status: int
    retry_after: str


def is_allowed(address: Address) -> bool:
    """Return whether the address is public, or in one of OUTGOING_WEBHOOK_NETWORKS."""
    plain: Address = getattr(address, "ipv4_mapped", None) or address
    if any(plain in ipaddress.ip_network(network) for network in settings.OUTGOING_WEBHOOK_NETWORKS):
        return True
    if plain.version == 6 and (plain not in GLOBAL_UNICAST or any(plain in network for network in TRANSLATED)):
        return False
    return plain.is_global and not plain.is_multicast and not plain.is_reserved


def post(url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
    """Send a POST request, and return the status of the answer. Raises RequestFailed."""
    timeouts = {"connect": CONNECT_S, "read": READ_S, "write": READ_S, "pool": CONNECT_S}
    sent = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    sent += [(name.encode(), value.encode()) for name, value in headers.items()]
    try:
        target = httpx.URL(url)  # encodes it, and gives the Host header
    except httpx.InvalidURL:
        raise RequestFailed("The URL can't be used.") from None
    sent.append((b"host", target.netloc))
    try:
        with (
            httpcore.ConnectionPool(ssl_context=_ssl_context(), network_backend=PublicBackend()) as pool,
            cut_after(WHOLE_S) as extensions,
            pool.stream(
                "POST", str(target), headers=sent, content=body, extensions={"timeout": timeouts, **extensions}
            ) as response,
        ):
            _read_some(response)
            found = dict(response.headers)
            return Answer(response.status, found.get(b"retry-after", b"").decode("ascii", "replace"))
    except httpcore.TimeoutException:
        raise RequestFailed("No answer in time.") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        raise RequestFailed(f"No connection ({type(error).__name__}).") from None


class PublicBackend(httpcore.NetworkBackend):
    """Connections to allowed addresses only."""

    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        address = resolve(host, port)
        return self._backend.connect_tcp(address, port, timeout, local_address, socket_options)


def resolve(host: str, port: int) -> str:
    """Return an allowed address of the host. Raises RequestFailed if it has none."""
    try:
        found = getaddrinfo(host, port, proto=IPPROTO_TCP)
    except (OSError, UnicodeError):
        raise RequestFailed("The host name has no address.") from None
    for *_, (text, *_rest) in found:
        if is_allowed(ipaddress.ip_address(str(text).partition("%")[0])):
            return str(text)
    raise RequestFailed("The host has no public address.")


def _read_some(response: Any) -> None:
    """Read a little of the answer, so that the receiver can finish. Nothing of it is kept."""
    size = 0
    for chunk in response.iter_stream():
        size += len(chunk)
        if size > MAX_ANSWER:
            return


@cache
def _ssl_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # reads the certificates file each time
