"""One-time codes by time (RFC 6238), as authenticator apps show them: SHA-1, six digits, 30 seconds."""

import base64
import hmac
import secrets
import struct
import time
from urllib.parse import quote

STEP_S = 30
DIGITS = 6
DRIFT = 1  # steps by which a phone's clock may differ, either way
KEY_BYTES = 20


def make_key() -> str:
    """Return a new key in base32, as apps read it."""
    return base64.b32encode(secrets.token_bytes(KEY_BYTES)).decode()


def code_at(key: str, step: int) -> str:
    """Return the code of a step, a number of 30 seconds since 1970."""
    digest = hmac.digest(base64.b32decode(key), struct.pack(">Q", step), "sha1")
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_of_code(key: str, code: str, *, after: int) -> int | None:
    """Return the step whose code this is, or None. Steps up to `after` have been used: their codes don't count."""
    present = int(time.time() // STEP_S)
    found = None
    for step in range(present - DRIFT, present + DRIFT + 1):
        if hmac.compare_digest(code_at(key, step), code) and step > after:
            found = step
    return found


def provisioning_uri(key: str, *, account: str, issuer: str) -> str:
    """Return the URI that an app reads from a QR code."""
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?secret={key}&issuer={quote(issuer)}"
