"""Names of rows as screens show them, from their columns."""

from typing import Any

MAX_ACTOR = 200  # as long as the column


def name_of_contact(first_name: str, last_name: str) -> str:
    """Return first and last name; empty if only the number is known."""
    return f"{first_name} {last_name}".strip()


def name_of_user(first_name: str, last_name: str, username: str) -> str:
    return f"{first_name} {last_name}".strip() or username


def name_of_line(name: str, number: str, provider_id: str) -> str:
    return name or number or provider_id


def name_of_actor(user: Any) -> str:
    """Return the name of a user in audit entries, with that of the API token by which the user acts."""
    token = getattr(user, "api_token", None)
    return f"{user.username} (token {token.name})"[:MAX_ACTOR] if token else str(user.username)
