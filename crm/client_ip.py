"""Client IP addresses."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """Return the client's address, as the outermost trusted proxy saw it. None on a Unix socket.

    Clients can send any `X-Forwarded-For`; only the entries that TRUSTED_PROXIES proxies appended can be trusted. For
    an IPv6 address its /64 network is returned, since one client owns all addresses of it.
    """
    chain = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if settings.TRUSTED_PROXIES else []
    forwarded = chain[-min(settings.TRUSTED_PROXIES, len(chain))] if chain else ""
    address = _read_address(forwarded.strip() or request.META.get("REMOTE_ADDR", ""))
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or IPv6Network((address, 64), strict=False).network_address
    return str(address) if address else None


def _read_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address in `1.2.3.4`, `1.2.3.4:55`, `2001:db8::1` or `[2001:db8::1]:443`. None for any other text."""
    host = text.strip('"')
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None
