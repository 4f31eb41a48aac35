"""Triggers that limit how many tags and custom fields a company has.

A column of an import that goes to tags by mistake would make a tag of each of its values. Each row of a list, each form
and each condition of a segment shows them all.
"""

from crm.db.triggers import Triggers

MAX_TAGS, MAX_FIELDS = 1_000, 200
TAG_LIMIT, FIELD_LIMIT = "tags_per_company", "contact_fields_per_company"  # reported like constraints' names


def _limit(table: str, name: str, most: int, condition: str, update: str) -> Triggers:
    """Return the triggers that refuse a row beyond the limit.

    Args:
        condition: the rows that count.
        update: when an updated row begins to count. Empty: never.
    """
    full = (
        f"(SELECT count(*) FROM (SELECT 1 FROM {table} WHERE company_id = NEW.company_id AND {condition} LIMIT {most})"  # noqa: S608  # constants
        f" AS counted) >= {most}"
    )
    refused = f"BEGIN SELECT RAISE(ABORT, '{name}') WHERE {full}; END"
    return Triggers(
        on=table,
        name=f"limit_{table}",
        timing="BEFORE",
        postgresql=f"""
BEGIN
    -- Others who add one to this company wait here, before their row is there: each sees the rows of those before it.
    PERFORM pg_advisory_xact_lock(hashtextextended('{name}', NEW.company_id));
    IF {full} THEN
        RAISE EXCEPTION '{name}' USING ERRCODE = 'check_violation', CONSTRAINT = '{name}';
    END IF;
    RETURN NEW;
END
""",
        each_row={"INSERT": "true"} | ({"UPDATE": update} if update else {}),
        each_statement=(),
        sqlite={"insert": f"BEFORE INSERT ON {table} {refused}"}
        | ({"update": f"BEFORE UPDATE ON {table} WHEN {update} {refused}"} if update else {}),
    )


TAG_TRIGGERS = _limit("tags", TAG_LIMIT, MAX_TAGS, "true", "")
FIELD_TRIGGERS = _limit(
    "contact_fields",
    FIELD_LIMIT,
    MAX_FIELDS,
    "deleted_at IS NULL",
    "OLD.deleted_at IS NOT NULL AND NEW.deleted_at IS NULL",
)
