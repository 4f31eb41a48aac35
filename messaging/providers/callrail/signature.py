"""CallRail's signatures: HMAC-SHA1 over the raw body, with the company's secret token as the key."""

from collections.abc import Iterable, Mapping
from secrets import token_hex

from messaging.providers.payloads import find_header
from messaging.providers.signatures import check_token, digest, require_match

SECRET_NAME = "the company's secret token"  # noqa: S105  # its name
HEADERS: tuple[str, ...] = ("signature",)

check_secret = check_token


def generate_secret() -> str:
    return token_hex(16)


def sign(*, secret: str, body: bytes, url: str, now: float) -> dict[str, str]:  # noqa: ARG001  # SignatureScheme
    """Return the headers of a JSON webhook event."""
    return {"content-type": "application/json", "signature": _signature(secret, body)}


def verify_signature(
    *,
    headers: Mapping[str, str],
    body: bytes,
    secrets: Iterable[str],
    url: str,  # noqa: ARG001  # SignatureScheme
    now: float,  # noqa: ARG001  # CallRail signs no time
) -> None:
    """Raise BadSignature unless one of the secrets signed the raw body."""
    given = find_header(headers, "signature")
    require_match((_signature(secret, body), given) for secret in secrets)


def _signature(secret: str, body: bytes) -> str:
    return digest(secret.encode(), body, "sha1")
