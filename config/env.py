"""Strict reader of environment variables."""

import builtins
import ipaddress
import os
import re
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE, FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


class Env(environ.Env):
    """django-environ with errors that name the variable, collected so that one start reports all of them.

    The library reads every unknown word as False and doesn't name the variable of a failed `int("ten")`. It keeps
    spaces around list items, and reads `$ecret` as the name of another variable.

    A variable that is missing or invalid reads as its default, or as an empty value. `raise_problems` must follow.
    """

    # A copy, so that the variables of `.env` don't stay in the process when a reload reads the file again.
    ENVIRON: Any = dict(os.environ)

    def __init__(self) -> None:
        super().__init__()
        self.problems: dict[str, str] = {}

    def reject(self, var: str, problem: str) -> None:
        """Record why a variable is invalid. The first problem of a variable counts: later ones follow from it."""
        self.problems.setdefault(var, problem)

    def raise_problems(self) -> None:
        """Raise ImproperlyConfigured with all problems, if there are any."""
        if self.problems:
            lines = (f"  {problem}" for problem in self.problems.values())
            raise ImproperlyConfigured("\n".join(["Invalid settings; .env.example describes them:", *lines]))

    def get_value(
        self, var: Any, cast: Any = None, default: Any = environ.Env.NOTSET, parse_default: bool = False
    ) -> Any:
        name, raw = str(var), self.ENVIRON.get(str(var))
        if raw is None and default is not self.NOTSET:
            return super().get_value(var, cast=cast, default=default, parse_default=parse_default)
        if not raw and default is self.NOTSET:
            self.reject(name, f"{name} must {'be set' if raw is None else 'not be empty'}.")
            return [] if cast is list else ""
        if cast is bool:
            return self._strict_bool(name, raw, default)
        if cast is list:
            return [item.strip() for item in raw.split(",") if item.strip()]
        try:
            return self.parse_value(raw, cast)
        except (ValueError, TypeError) as error:
            self.reject(name, f"{name} isn't valid: {raw!r} ({error}).")
            return default

    def one_of(self, var: str, choices: tuple[str, ...], default: str) -> str:
        value = self.str(var, default=default)
        if value not in choices:
            self.reject(var, f"{var} is {value!r}; it must be one of: {', '.join(choices)}.")
            return default
        return value

    def at_least(self, var: str, minimum: int, default: int) -> int:
        value = self.int(var, default=default)
        if value < minimum:
            self.reject(var, f"{var} is {value}; it must be at least {minimum}.")
            return default
        return value

    def port(self, var: str, default: int) -> int:
        value = self.int(var, default=default)
        if not 1 <= value <= 65535:
            self.reject(var, f"{var} is {value}; it must be a port number from 1 to 65535.")
            return default
        return value

    def mail_server(self, var: str, default: str) -> dict[str, Any]:
        """Return Django's settings of the mail server that a URL names."""
        try:
            return self.email_url(var, default=default)
        except (ImproperlyConfigured, KeyError, ValueError):
            self.reject(var, f"{var} must be a URL such as smtp+tls://USER:PASSWORD@HOST:587 or consolemail://.")
            return {}

    def origins(self, var: str) -> builtins.list[str]:
        """Return comma-separated web origins, such as `https://app.example.com`; none by default."""
        origins: builtins.list[str] = self.list(var, default=[])
        for origin in origins:
            if not re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]+)?", origin):
                self.reject(var, f"{var} has {origin!r}; an origin must look like https://app.example.com.")
        return origins

    def networks(self, var: str) -> builtins.list[str]:
        """Return comma-separated networks, such as `10.0.0.0/8`; none by default."""
        networks: builtins.list[str] = self.list(var, default=[])
        for network in networks:
            try:
                ipaddress.ip_network(network)
            except ValueError:
                self.reject(var, f"{var} has {network!r}; a network must look like 10.0.0.0/8.")
                return []
        return networks

    def web_address(self, var: str, default: Any = environ.Env.NOTSET) -> str:
        """Return a URL without its trailing slash."""
        address = self.str(var, default=default)
        if not address.startswith(("http://", "https://")):
            self.reject(var, f"{var} is {address!r}; it must begin with http:// or https://.")
        return address.rstrip("/")

    def web_addresses(self, suffix: str) -> dict[str, str]:
        """Return the URLs of all variables with this suffix, by the rest of their names in lower case."""
        names = sorted(var for var in self.ENVIRON if var.endswith(suffix))
        return {var.removesuffix(suffix).lower(): self.web_address(var) for var in names}

    def _strict_bool(self, var: str, raw: str, default: bool) -> bool:
        word = raw.strip().lower()
        if word not in TRUE | FALSE:
            self.reject(var, f"{var} is {raw!r}; it must be true or false.")
            return default
        return word in TRUE
