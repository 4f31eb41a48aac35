"""Requests to URLs that users or providers chose: to public addresses only, and with limits.

The name is resolved once, and the connection made to the address that was checked: a name that resolves to another
address a moment later leads nowhere else. Each redirect of a download is checked in the same way.
"""

import ipaddress
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from socket import IPPROTO_TCP, getaddrinfo
from typing import IO, Any

import httpcore
import httpx
from django.conf import settings

from crm.http_deadline import cut_after

CONNECT_S, READ_S, WHOLE_S = 3.0, 5.0, 10.0  # the whole is well under a worker's lease
MAX_ANSWER = 16 * 1024  # bytes that are read; the rest is not
DOWNLOAD_S = 120.0
MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
OK = 200
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")  # Python calls others global, too, such as those of a site (fec0::)
# IPv6 addresses that stand for any IPv4 address, also a private one.
TRANSLATED = [ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")]


class RequestFailed(Exception):
    """There was no answer. The text says why, for people."""


class RequestRefused(RequestFailed):
    """The request or its answer isn't allowed: another attempt would end in the same way."""


@dataclass(frozen=True)
class Answer:
    status: int
    retry_after: str


def is_allowed(address: Address, networks: Sequence[str]) -> bool:
    """Return whether the address is public, or in one of the networks."""
    plain: Address = getattr(address, "ipv4_mapped", None) or address
    if any(plain in ipaddress.ip_network(network) for network in networks):
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
            _public_pool(settings.OUTGOING_WEBHOOK_NETWORKS) as pool,
            cut_after(WHOLE_S) as extensions,
            pool.stream(
                "POST", str(target), headers=sent, content=body, extensions={"timeout": timeouts, **extensions}
            ) as response,
        ):
            _read_some(response)
            return Answer(response.status, _header(response, b"retry-after").decode("ascii", "replace"))
    except httpcore.TimeoutException:
        raise RequestFailed("No answer in time.") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        raise RequestFailed(f"No connection ({type(error).__name__}).") from None


class PublicBackend(httpcore.NetworkBackend):
    """Connections to allowed addresses only."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._backend, self._networks = httpcore.SyncBackend(), networks

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        address = resolve(host, port, self._networks)
        return self._backend.connect_tcp(address, port, timeout, local_address, socket_options)


def resolve(host: str, port: int, networks: Sequence[str]) -> str:
    """Return an allowed address of the host. Raises RequestFailed if it has none."""
    try:
        found = getaddrinfo(host, port, proto=IPPROTO_TCP)
    except (OSError, UnicodeError):
        raise RequestFailed("The host name has no address.") from None
    for *_, (text, *_rest) in found:
        if is_allowed(ipaddress.ip_address(str(text).partition("%")[0]), networks):
            return str(text)
    raise RequestRefused("The host has no public address.")


def download(
    url: str,
    *,
    into: IO[bytes],
    max_bytes: int,
    networks: Sequence[str],
    headers_of: Callable[[str], Mapping[str, str]],
) -> None:
    """Write the body of the answer to a GET request into a file.

    Args:
        networks: besides the public addresses. Only with some, http is allowed, too.
        headers_of: called with the origin of each request, also after a redirect. Returns its headers.

    Raises:
        RequestRefused: a private address, another scheme, too many redirects, or a body that is too large.
        RequestFailed: no answer, or one with another status.
    """
    end_s = time.monotonic() + DOWNLOAD_S
    for _ in range(MAX_REDIRECTS + 1):
        location = _get(_checked(url, networks), into, max_bytes, networks, headers_of, end_s - time.monotonic())
        if location is None:
            return
        try:
            url = str(httpx.URL(url).join(location))
        except httpx.InvalidURL:
            raise RequestRefused("The server redirects to a URL that can't be used.") from None
    raise RequestRefused("The server redirects too often.")


def origin_of(url: httpx.URL) -> str:
    """Return scheme, host and port of a URL."""
    return f"{url.scheme}://{url.host}:{url.port or (443 if url.scheme == 'https' else 80)}"


def _get(
    target: httpx.URL, into: IO[bytes], max_bytes: int, networks: Sequence[str],
    headers_of: Callable[[str], Mapping[str, str]], left_s: float,
) -> str | None:  # fmt: skip
    """Write the body into the file, or return where the answer redirects to."""
    timeouts = {"connect": CONNECT_S, "read": READ_S, "write": READ_S, "pool": CONNECT_S}
    sent = [(b"host", target.netloc), (b"accept-encoding", b"identity"), (b"user-agent", b"crm-files/1")]
    sent += [(name.encode(), value.encode()) for name, value in headers_of(origin_of(target)).items()]
    end_s = time.monotonic() + left_s
    try:
        with (
            _public_pool(networks) as pool,
            cut_after(max(left_s, 0.1)) as extensions,
            pool.stream("GET", str(target), headers=sent, extensions={"timeout": timeouts, **extensions}) as response,
        ):
            if response.status in REDIRECTS:
                if not (location := _header(response, b"location").decode("latin-1")):
                    raise RequestFailed("The server redirects to nowhere.")
                return location
            if response.status != OK:
                raise RequestFailed(f"The server answered with status {response.status}.")
            size = 0
            for chunk in response.iter_stream():
                size += len(chunk)
                if size > max_bytes:
                    raise RequestRefused(f"The file has more than {max_bytes // 1024**2} MiB.")
                into.write(chunk)
    except httpcore.TimeoutException:
        raise RequestFailed("No answer in time.") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        raise RequestFailed(f"No connection ({type(error).__name__}).") from None
    if time.monotonic() > end_s:  # a connection that was cut may look like the end of the body
        raise RequestFailed("No answer in time.")
    return None


def _checked(url: str, networks: Sequence[str]) -> httpx.URL:
    """Return the URL of a request that is allowed. Its address is checked when it is connected to."""
    try:
        target = httpx.URL(url)  # encodes it, and gives the Host header
    except httpx.InvalidURL:
        raise RequestRefused("The URL can't be used.") from None
    if target.scheme not in (("https", "http") if networks else ("https",)) or not target.host:
        raise RequestRefused("The URL doesn't begin with https://.")
    return target


def _public_pool(networks: Sequence[str]) -> httpcore.ConnectionPool:
    return httpcore.ConnectionPool(ssl_context=_ssl_context(), network_backend=PublicBackend(networks))


def _header(response: Any, name: bytes) -> bytes:
    """Return a header of the answer, whose names httpcore keeps as the server writes them. Empty: it has none."""
    return next((value for key, value in response.headers if key.lower() == name), b"")


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
