"""Strict reader of environment variables."""

import builtins
import re
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE, FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


class Env(environ.Env):
    """django-environ with errors that name the variable.

    The library reads every unknown word as False and doesn't name the variable of a failed `int("ten")`. It keeps
    spaces around list items, and reads `$ecret` as the name of another variable.
    """

    def get_value(
        self, var: Any, cast: Any = None, default: Any = environ.Env.NOTSET, parse_default: bool = False
    ) -> Any:
        raw = self.ENVIRON.get(str(var))
        if raw is None:
            return super().get_value(var, cast=cast, default=default, parse_default=parse_default)
        if raw == "" and default is self.NOTSET:
            raise ImproperlyConfigured(f"{var} must not be empty.")
        if cast is bool:
            return self._strict_bool(str(var), raw)
        if cast is list:
            return [item.strip() for item in raw.split(",") if item.strip()]
        try:
            return self.parse_value(raw, cast)
        except (ValueError, TypeError) as error:
            raise ImproperlyConfigured(f"{var} isn't valid: {raw!r} ({error}).") from error

    def one_of(self, var: str, choices: tuple[str, ...], default: str) -> str:
        value = self.str(var, default=default)
        if value not in choices:
            raise ImproperlyConfigured(f"{var} is {value!r}; it must be one of: {', '.join(choices)}.")
        return value

    def at_least(self, var: str, minimum: int, default: int) -> int:
        value = self.int(var, default=default)
        if value < minimum:
            raise ImproperlyConfigured(f"{var} is {value}; it must be at least {minimum}.")
        return value

    def origins(self, var: str) -> builtins.list[str]:
        """Return comma-separated web origins, such as `https://app.example.com`; none by default."""
        origins: builtins.list[str] = self.list(var, default=[])
        for origin in origins:
            if not re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]+)?", origin):
                raise ImproperlyConfigured(f"{var} has {origin!r}; an origin must look like https://app.example.com.")
        return origins

    def web_address(self, var: str, default: Any = environ.Env.NOTSET) -> str:
        """Return a URL without its trailing slash."""
        address = self.str(var, default=default)
        if not address.startswith(("http://", "https://")):
            raise ImproperlyConfigured(f"{var} is {address!r}; it must begin with http:// or https://.")
        return address.rstrip("/")

    @staticmethod
    def _strict_bool(var: str, raw: str) -> bool:
        word = raw.strip().lower()
        if word not in TRUE | FALSE:
            raise ImproperlyConfigured(f"{var} is {raw!r}; it must be true or false.")
        return word in TRUE
