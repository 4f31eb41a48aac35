"""Client IP addresses."""

from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """Return the client's address, as the outermost trusted proxy saw it. None on a Unix socket.

    Clients can send any `X-Forwarded-For`; only the entries that TRUSTED_PROXIES proxies appended can be trusted. For
    an IPv6 address its /64 network is returned, since one client owns all addresses of it.
    """
    seen: str = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES and (chain := request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        seen = chain[-min(settings.TRUSTED_PROXIES, len(chain))].strip() or seen
    try:
        address = ip_address(seen.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or IPv6Network((address, 64), strict=False).network_address
    return str(address)
