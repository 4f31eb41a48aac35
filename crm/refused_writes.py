"""Writes that a constraint refused, as the field and the sentence that people read.

PostgreSQL reports the constraint's name. SQLite reports the name of a CHECK, the columns of a unique constraint or
the name of one on an expression, and nothing about a foreign key.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.apps import apps
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, models
from django.db.models import BaseConstraint, CheckConstraint, F, Q, UniqueConstraint

from crm.db.policies import SameCompany
from crm.error_codes import ErrorCode

STILL_REFERENCED = "still referenced"  # PostgreSQL's detail when a row is deleted that others refer to


@dataclass(frozen=True)
class RefusedWrite:
    """A refused write. The field is `NON_FIELD_ERRORS` if the constraint is about no single one."""

    constraint: str
    field: str
    sentence: str
    code: ErrorCode


def explain(error: IntegrityError) -> RefusedWrite | None:
    """Return the constraint that failed; None if it is unknown, or if no person can violate it."""
    name, detail = _constraint_of(error)
    refused = refusals().get(name)
    if refused and refused.code == ErrorCode.DOES_NOT_EXIST and STILL_REFERENCED in detail:
        return _still_referenced(name)
    return refused


def is_refused_by(error: IntegrityError, *constraints: str) -> bool:
    """Return whether one of these constraints failed."""
    refused = explain(error)
    return refused is not None and refused.constraint in constraints


@cache
def refusals() -> Mapping[str, RefusedWrite]:
    """Return the table of all constraints by the name, or the columns, that the databases report."""
    table: dict[str, RefusedWrite] = {}
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            if refused := _refusal(model, constraint):
                table[constraint.name] = refused
                if isinstance(constraint, UniqueConstraint) and constraint.fields:
                    table[_sqlite_columns(model, constraint.fields)] = refused
        for field in model._meta.local_concrete_fields:
            if field.unique and not field.primary_key:
                name = f"{model._meta.db_table}_{field.column}_key"
                refused = RefusedWrite(name, field.name, _taken_alone(model, field), ErrorCode.UNIQUE)
                table[name] = table[_sqlite_columns(model, [field.name])] = refused
        for name, (field_name, sentence, code) in getattr(model, "trigger_refusals", {}).items():
            table[name] = RefusedWrite(name, field_name, sentence, code)
    return table


def refusals_of(model: type[models.Model]) -> list[RefusedWrite]:
    """Return what the database may refuse in a row of the model."""
    names = [*(constraint.name for constraint in model._meta.constraints), *getattr(model, "trigger_refusals", ())]
    return [refusals()[name] for name in names if name in refusals()]


def violations(row: models.Model) -> list[RefusedWrite]:
    """Return the constraints that the database would refuse the row by."""
    refused = []
    for constraint in row._meta.constraints:
        try:
            constraint.validate(type(row), row)
        except ValidationError:
            refused.append(refusals()[constraint.name])
    return refused


def same_values(row: models.Model, refused: RefusedWrite) -> Q | None:
    """Return the condition of the other row that has the values of the unique constraint which refused this one."""
    constraint = next((each for each in row._meta.constraints if each.name == refused.constraint), None)
    if not isinstance(constraint, UniqueConstraint):
        return None
    equal = {name: getattr(row, str(row._meta.get_field(name).attname)) for name in constraint.fields}  # type: ignore[union-attr]
    if constraint.expressions:  # Lower() alone
        equal |= {f"{name}__iexact": getattr(row, name) for name in _columns_of(constraint)}
    return Q(**equal) & (constraint.condition or Q()) & ~Q(pk=row.pk)


def _field_of(constraint: BaseConstraint) -> str:
    """Return the last field of a constraint; constraints are declared with the offending field last."""
    if isinstance(constraint, UniqueConstraint):
        return constraint.fields[-1] if constraint.fields else _columns_of(constraint)[-1]
    if isinstance(constraint, CheckConstraint):
        return _fields_of(constraint.condition)[-1]
    return NON_FIELD_ERRORS


def _written_field(model: type[models.Model], name: str) -> str:
    """Return the field that people write: a column such as `name_key` follows from `name`."""
    source = name.removesuffix("_key")
    return source if source in {field.name for field in model._meta.fields} else name


def _refusal(model: type[models.Model], constraint: BaseConstraint) -> RefusedWrite | None:
    if isinstance(constraint, SameCompany):
        other: Any = model._meta.get_field(constraint.field).related_model
        sentence = f"This {other._meta.verbose_name} no longer exists."
        return RefusedWrite(constraint.name, constraint.field, sentence, ErrorCode.DOES_NOT_EXIST)
    if not isinstance(constraint, CheckConstraint | UniqueConstraint):
        return None
    field, sentence = _written_field(model, _field_of(constraint)), str(constraint.violation_error_message)
    if constraint.violation_error_message == constraint.default_violation_error_message:
        sentence = _taken(model, field) if isinstance(constraint, UniqueConstraint) else f"{field} isn't valid."
    code = ErrorCode.UNIQUE if isinstance(constraint, UniqueConstraint) else ErrorCode.NOT_ALLOWED
    return RefusedWrite(constraint.name, field, sentence, code)


def _still_referenced(name: str) -> RefusedWrite:
    owner = next(m for m in apps.get_models() if any(c.name == name for c in m._meta.constraints))
    sentence = f"Can't be deleted: it still has {owner._meta.verbose_name_plural}."
    return RefusedWrite(name, NON_FIELD_ERRORS, sentence, ErrorCode.IN_USE)


def _taken(model: Any, field: str) -> str:
    return f"Another {model._meta.verbose_name} has this {model._meta.get_field(field).verbose_name}."


def _taken_alone(model: Any, field: Any) -> str:
    """Return the sentence of a unique field: its own, or else as of a constraint."""
    message = str(field.error_messages["unique"])
    return _taken(model, field.name) if "%(" in message else message


def _sqlite_columns(model: Any, fields: Any) -> str:
    return ", ".join(f"{model._meta.db_table}.{model._meta.get_field(name).column}" for name in fields)


def _constraint_of(error: IntegrityError) -> tuple[str, str]:
    """Return the failed constraint's name, or columns, and PostgreSQL's detail."""
    report = getattr(error.__cause__, "diag", None)
    if report is not None:
        return report.constraint_name or "", report.message_detail or ""
    # "CHECK constraint failed: name", "UNIQUE constraint failed: table.column, …", "UNIQUE constraint failed: index
    # 'name'", or a trigger's own text.
    return re.sub(r"^\w+ constraint failed: (index ')?|'$", "", str(error)), ""


def _columns_of(constraint: UniqueConstraint) -> list[str]:
    """Return the fields in the expressions of a unique constraint."""
    expressions: Any = constraint.expressions
    parts: list[Any] = [part for expression in expressions for part in expression.flatten()]
    return [field.name for field in parts if isinstance(field, F)]  # type: ignore[attr-defined]  # the stubs leave it out


def _fields_of(condition: Any) -> list[str]:
    names: list[str] = []
    for child in condition.children:
        names += _fields_of(child) if isinstance(child, Q) else [child[0].partition("__")[0]]
    return names
