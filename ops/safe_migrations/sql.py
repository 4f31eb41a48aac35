"""SQL taken apart as far as it takes to see which tables a statement locks."""

import re
from collections.abc import Container

# What could be mistaken for SQL: comments, literals, the bodies of functions.
_NO_SQL = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$", re.DOTALL)
# How crm.db.policies makes a key that the first of several references needs.
_WHERE_MISSING = re.compile(
    r"DO \$\$ BEGIN IF NOT EXISTS \(SELECT FROM pg_constraint WHERE conname = '(\w+)'.*? THEN (.*?); END IF; END \$\$",
    re.DOTALL,
)
# How it drops Django's own key, of which the server alone knows the name.
_NAME_UNKNOWN = re.compile(
    r"DO \$\$ DECLARE \w+ name; BEGIN .*? EXECUTE format\('([^']*)', \w+\); END IF; END \$\$", re.DOTALL
)


def split_statements(sql: str, *, constraints: Container[str]) -> list[str]:
    """The statements of `sql` on one line each, with empty literals.

    Of what is made only where a constraint is missing nothing is left if it is one of `constraints`, which stand.
    """
    sql = _WHERE_MISSING.sub(lambda block: "" if block[1] in constraints else block[2], sql)
    sql = _NAME_UNKNOWN.sub(r"\1", sql)
    bare = _NO_SQL.sub(lambda found: " " if found[0].startswith(("--", "/*")) else "''", sql)
    return [" ".join(statement.split()) for statement in bare.split(";") if statement.strip()]


def split_actions(actions: str) -> list[str]:
    """What an ALTER TABLE does, one by one: cut at the commas that are in no parentheses."""
    parts, depth = [""], 0
    for character in actions:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def name_pattern(group: str) -> str:
    """A pattern for a name, quoted or not, with or without its schema; `read_name` reads it from a match."""
    return rf'(?:(?:"\w+"|\w+)\.)?(?:"(?P<{group}_quoted>[^"]+)"|(?P<{group}>\w+))'


def read_name(found: re.Match[str], group: str) -> str:
    """The name matched by `name_pattern(group)`; empty where the pattern has none."""
    groups = found.groupdict()
    return groups.get(f"{group}_quoted") or groups.get(group) or ""
