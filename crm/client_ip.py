"""Where a request comes from."""

from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """The address of the client, as the outermost of our own proxies saw it. None on a Unix socket.

    Anybody can send `X-Forwarded-For`; only what TRUSTED_PROXIES proxies added at its end is true. Of an IPv6 address
    it is the network (/64): whoever has one address of it has all of them.
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
