"""Mappings with every suggestion accepted."""

from dataclasses import replace


def accept_suggestions(choice):
    """Return the mapping with each suggestion accepted, new custom fields included."""
    mapping = choice.mapping
    columns = {**mapping.columns, **{each.column: each.target for each in choice.suggestions}}
    return replace(mapping, columns=columns, fields={**mapping.fields, **choice.new_fields})
