"""Writes `docs/indexes.md` from the models: `python -m tests.db.index_table > docs/indexes.md`."""

from tests.db.catalogue import our_models

HEAD = """# The indexes

Which index answers which question, and who asks it. Written from the declarations in the models (`Meta.indexes`) by
`python -m tests.db.index_table > docs/indexes.md`; a test fails when the two part ways.

Beside these stand the primary keys and the unique constraints, which are indexes as well. How to add one:
[adding-an-index.md](adding-an-index.md).

| index | table | columns | question | asked by |
|---|---|---|---|---|
"""


def index_table():
    return HEAD + "".join(
        f"| `{index.name}` | {model._meta.db_table} | {columns_of(model, index)} | {index.question} "
        f"| {index.asked_by} |\n"
        for model in our_models()
        for index in model._meta.indexes
    )


def columns_of(model, index):
    columns = ", ".join(
        model._meta.get_field(field).column + order.lower().replace("desc", " desc")
        for field, order in index.fields_orders
    )
    method = " (hash)" if index.suffix == "hash" else ""
    predicate = f" where {in_words(index.condition)}" if index.condition else ""
    return columns + method + predicate


def in_words(condition):
    """`Q(flag_type="opted_out")` → `flag_type = 'opted_out'`."""
    return " and ".join(one_in_words(*child) for child in condition.children)


def one_in_words(lookup, value):
    field, _, kind = lookup.partition("__")
    if kind == "isnull":
        return f"{field} is null" if value else f"{field} is not null"
    if kind == "in":
        return f"{field} in ({', '.join(repr(str(one)) for one in value)})"
    return f"{field} = {str(value)!r}"


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    print(index_table(), end="")
