"""Names of rows as screens show them, from their columns."""


def name_of_contact(first_name: str, last_name: str) -> str:
    """Return first and last name; empty if only the number is known."""
    return f"{first_name} {last_name}".strip()


def name_of_user(first_name: str, last_name: str, username: str) -> str:
    return f"{first_name} {last_name}".strip() or username


def name_of_line(name: str, number: str, provider_id: str) -> str:
    return name or number or provider_id
