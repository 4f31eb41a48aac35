"""The generator of `docs/indexes.md`: `.venv/bin/python -m tests.db.index_table > docs/indexes.md`."""

from tests.db.catalogue import product_models

HEAD = """# Indexes

Each index with the question that it answers and the caller that asks it. This page is generated from the models
(`Meta.indexes`), and a test fails if it is out of date: `.venv/bin/python -m tests.db.index_table > docs/indexes.md`.

Primary keys and unique constraints are indexes as well; they are not listed. How to add one:
[adding-an-index.md](adding-an-index.md).

| index | table | columns | question | asked by |
|---|---|---|---|---|
"""


def index_table():
    return HEAD + "".join(
        f"| `{index.name}` | {model._meta.db_table} | {columns_of(model, index)} | {index.question} "
        f"| {index.asked_by} |\n"
        for model in product_models()
        for index in model._meta.indexes
    )


def columns_of(model, index):
    columns = ", ".join(
        model._meta.get_field(field).column + order.lower().replace("desc", " desc")
        for field, order in index.fields_orders
    )
    method = " (hash)" if index.suffix == "hash" else ""
    condition = " and ".join(format_lookup(*child) for child in index.condition.children) if index.condition else ""
    return columns + method + (f" where {condition}" if condition else "")


def format_lookup(lookup, value):
    """Return `flag_type = 'opted_out'` for `flag_type="opted_out"` of a Q object."""
    field, _, kind = lookup.partition("__")
    if kind == "isnull":
        return f"{field} is null" if value else f"{field} is not null"
    if kind == "in":
        return f"{field} in ({', '.join(repr(str(one)) for one in value)})"
    if isinstance(value, bool):
        return field if value else f"not {field}"
    return f"{field} > {value}" if kind == "gt" else f"{field} = {str(value)!r}"


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    print(index_table(), end="")
