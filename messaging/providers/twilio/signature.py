"""Twilio's signatures: HMAC-SHA1 over the URL and the form, with the account's auth token as the key."""

import hmac
from collections.abc import Iterable, Mapping
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

from messaging.providers.errors import BadSignature, InvalidPayload
from messaging.providers.payloads import FORM, find_header, form_pairs, is_form
from messaging.providers.signatures import check_token, digest, require_match

SECRET_NAME = "the account's auth token"  # noqa: S105  # its name
HEADERS: tuple[str, ...] = ("x-twilio-signature",)
PORTS = {"http": 80, "https": 443}

check_secret = check_token


def generate_secret() -> str:
    """Return "": only Twilio makes its auth tokens."""
    return ""


def sign(*, secret: str, body: bytes, url: str, now: float) -> dict[str, str]:  # noqa: ARG001  # SignatureScheme
    """Return the headers of a webhook event, whose body is a form."""
    return {"content-type": FORM, "x-twilio-signature": _signature(secret, url + _canonical_form(body))}


def verify_signature(
    *,
    headers: Mapping[str, str],
    body: bytes,
    secrets: Iterable[str],
    url: str,
    now: float,  # noqa: ARG001  # Twilio signs no time
) -> None:
    """Raise BadSignature unless one of the secrets signed the URL and the form.

    For any other body the URL holds the body's hash. A proxy decides whether the port belongs to the signed URL.
    """
    signed = _canonical_form(body) if is_form(headers) else ""
    if not is_form(headers):
        given_hash = parse_qs(urlsplit(url).query).get("bodySHA256", [""])[0]
        if not hmac.compare_digest(sha256(body).hexdigest().encode(), given_hash.lower().encode()):
            raise BadSignature("bodySHA256 is missing or doesn't match the body.")
    given = find_header(headers, "x-twilio-signature")
    require_match((_signature(secret, form + signed), given) for secret in secrets for form in _url_variants(url))


def _canonical_form(body: bytes) -> str:
    """Return names and values of a form, joined, sorted and without repeated pairs. Raises BadSignature."""
    try:
        return "".join(name + value for name, value in sorted(set(form_pairs(body))))
    except InvalidPayload as error:
        raise BadSignature(str(error)) from error


def _url_variants(url: str) -> set[str]:
    """Return the URL as given, without its port and with it."""
    parts = urlsplit(url)
    bare = parts._replace(netloc=parts.hostname or "")
    with_port = parts._replace(netloc=f"{parts.hostname}:{parts.port or PORTS[parts.scheme]}")
    return {url, bare.geturl(), with_port.geturl()}


def _signature(token: str, signed: str) -> str:
    return digest(token.encode(), signed.encode("utf-8", "surrogateescape"), "sha1")
