"""Second factors: a code from an authenticator app at sign-in, or one of ten recovery codes."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.timezone import now

from crm.db.audit_context import acting_as
from crm.db.tenancy import all_tenants
from crm.encryption import keyed_hash
from crm.error_codes import ErrorCode
from crm.models import SecondFactor, User
from crm.refusals import Refusal
from crm.services.user_sessions import end_sessions
from crm.totp import make_key, step_of_code

RECOVERY_CODES = 10
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # without those that look alike
MAX_LENGTH = 20  # of a code, with spaces


class WrongCode(Refusal):
    """The code is neither the app's present one nor an unused recovery code."""

    code = ErrorCode.CODE_NOT_VALID
    attr = "code"


class SecondFactorRefused(Refusal):
    """There is a second factor already, or there is none."""

    def __init__(self, code: ErrorCode) -> None:
        super().__init__(code=code)


class CodesLocked(Exception):
    """Too many wrong codes of this user, from whichever addresses.

    Attributes:
        seconds: the wait until the next code may be tried.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(f"locked for {seconds} seconds")
        self.seconds = seconds


def begin_second_factor(*, user: User) -> str:
    """Make a key and return it. It counts once a code of it has been entered. Raises SecondFactorRefused."""
    with _locked(user):
        if user.second_factor_since is not None:
            raise SecondFactorRefused(ErrorCode.SECOND_FACTOR_ON)
        key = make_key()
        # A new row, so that a code of an earlier key that is being confirmed meanwhile is found to be of another one.
        SecondFactor.objects.filter(user=user).delete()
        SecondFactor.objects.create(user=user, key=key)
        return key


def confirm_second_factor(*, user: User, code: str) -> list[str]:
    """Begin to ask for codes at sign-in. Return the recovery codes, which are never shown again.

    Raises:
        SecondFactorRefused: it is on already, or no key was made.
        WrongCode: see `check_code`. Or the key was replaced meanwhile, as in another tab.
        CodesLocked: see `check_code`.
    """
    if user.second_factor_since is not None:
        raise SecondFactorRefused(ErrorCode.SECOND_FACTOR_ON)
    factor_id = check_code(user=user, code=code)
    with _locked(user):
        if user.second_factor_since is not None:
            raise SecondFactorRefused(ErrorCode.SECOND_FACTOR_ON)
        codes = _renew_recovery_codes(user, factor_id)
        user.second_factor_since = now()
        user.save(update_fields=["second_factor_since"])
        return codes


def renew_recovery_codes(*, user: User, code: str) -> list[str]:
    """Return ten new recovery codes in place of the old ones. Raises as `confirm_second_factor`."""
    _require(user)
    factor_id = check_code(user=user, code=code)
    with _locked(user):
        _require(user)
        return _renew_recovery_codes(user, factor_id)


def remove_second_factor(*, user: User, code: str) -> None:
    """Stop asking the user for codes. Raises as `confirm_second_factor`."""
    _require(user)
    check_code(user=user, code=code)
    with _locked(user):
        _require(user)
        _remove(user)


def reset_second_factor(*, user: User) -> None:
    """Remove the second factor of a user who has lost it, and end the user's sessions. Raises SecondFactorRefused.

    For managers and staff. The new sign-in needs the password alone, so the old sessions could be a thief's.
    """
    _require(user)
    with transaction.atomic():
        _remove(user)
        end_sessions(user=user)


def count_recovery_codes(*, user: User) -> int:
    found = SecondFactor.objects.filter(user=user).values_list("recovery_codes", flat=True).first()
    return len(found) if found and user.second_factor_since else 0


def check_code(*, user: User, code: str) -> int:
    """Use up a code of the app, or a recovery code, and return the ID of the second factor that it is of.

    Two requests with the same code can't both succeed. Wrong codes are counted per user, not per address: the one who
    guesses has the password already.

    Raises:
        SecretUnreadable: the app's key can't be read. Recovery codes are checked without it.
        WrongCode: it is wrong or used. The failure is written, so no transaction of the caller must be rolled back.
        CodesLocked: AXES_FAILURE_LIMIT wrong codes in a row; none is read for AXES_COOLOFF_TIME.
    """
    with transaction.atomic():
        # The key is read when a code of the app is checked: without it, a recovery code still opens.
        factor = SecondFactor.objects.select_for_update().defer("key").filter(user=user).first()
        if factor is None:
            raise SecondFactorRefused(ErrorCode.SECOND_FACTOR_OFF)
        if locked_until := _locked_until(factor):
            raise CodesLocked(max(1, int((locked_until - now()).total_seconds())))
        right = _use(factor, "".join(code.split()).replace("-", "").lower())
        factor.failures, factor.failed_at = (0, None) if right else (factor.failures + 1, now())
        factor.save(update_fields=["last_step", "recovery_codes", "failures", "failed_at"])
    if not right:
        raise WrongCode
    return factor.pk


def _locked_until(factor: SecondFactor) -> datetime | None:
    """Return the end of the lock, if there is one now. After it a single wrong code locks again."""
    cool_off: timedelta = settings.AXES_COOLOFF_TIME
    if factor.failed_at is None or factor.failures < settings.AXES_FAILURE_LIMIT:
        return None
    until = factor.failed_at + cool_off
    return until if until > now() else None


def _use(factor: SecondFactor, code: str) -> bool:
    """Use up the code on the instance. Return whether it is right."""
    if code.isdecimal() and code.isascii():
        step = step_of_code(factor.key, code, after=factor.last_step)
        factor.last_step = factor.last_step if step is None else step
        return step is not None
    hashed = _hash(factor.user_id, code)
    if hashed not in factor.recovery_codes:
        return False
    factor.recovery_codes = [each for each in factor.recovery_codes if each != hashed]
    return True


@contextmanager
def _locked(user: User) -> Iterator[None]:
    """Lock the user's row, read whether the second factor is on, and act as the user.

    Lock order: user, second factor.
    """
    with all_tenants(), transaction.atomic(), acting_as(user.pk, user.get_username()):
        rows = User.accounts.select_for_update(no_key=True, of=("self",)).filter(pk=user.pk)
        user.second_factor_since = rows.values_list("second_factor_since", flat=True).get()
        yield


def _renew_recovery_codes(user: User, factor_id: int) -> list[str]:
    codes = ["".join(secrets.choice(LETTERS) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    hashed: Any = [_hash(user.pk, code) for code in codes]
    if not SecondFactor.objects.filter(pk=factor_id).update(recovery_codes=hashed):
        raise WrongCode("The key was replaced meanwhile: use the newest one.")
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def _remove(user: User) -> None:
    user.second_factor_since = None
    user.save(update_fields=["second_factor_since"])
    SecondFactor.objects.filter(user=user).delete()


def _require(user: User) -> None:
    if user.second_factor_since is None:
        raise SecondFactorRefused(ErrorCode.SECOND_FACTOR_OFF)


def _hash(user_id: int, code: str) -> str:
    return keyed_hash("recovery code", f"{user_id} {code}")
