"""Base form and form fields of the admin."""

import re
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.db.models import Model
from django.forms.utils import pretty_name

from crm.admin.base.suggestions import suggest_rows_of
from crm.admin.base.versions import VersionedForm
from crm.choices import ASSIGNABLE_ROLES, assignable_roles
from crm.models import Company
from crm.refused_writes import RefusedWrite, violations


class AmountFormField(forms.DecimalField):
    """An amount in plain digits. Python would also read `1_000`."""

    def to_python(self, value: Any) -> Any:
        if value and not re.fullmatch(r"\s*-?[0-9]*\.?[0-9]+\s*", str(value)):
            raise forms.ValidationError("Enter a number such as 1250.00.")
        return super().to_python(value)


class RowForm(VersionedForm):
    """Form of a company's row. Rejects references into other companies and checks every constraint.

    Attributes:
        refused: the constraint that refused an earlier save of the same form, because of a row written in between.
    """

    refused: RefusedWrite | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name_parts()
        typed = self.data.get(self.add_prefix("company")) or self.initial.get("company")
        suggest_rows_of(getattr(self.instance, "company_id", None) or typed, self)

    def name_parts(self) -> None:
        """Name the two boxes of each time: their legend names them only together."""
        for name, field in self.fields.items():
            if isinstance(field.widget, forms.SplitDateTimeWidget):
                for box, part in zip(field.widget.widgets, ("date", "time"), strict=True):
                    box.attrs["aria-label"] = f"{field.label or pretty_name(name)}: {part}"

    @property
    def company(self) -> Company | None:
        """The chosen company, or that of an existing row."""
        return self.cleaned_data.get("company") or (self.instance.company if self.instance.company_id else None)

    def clean(self) -> dict[str, Any]:
        cleaned, company = super().clean() or self.cleaned_data, self.company
        for name, value in list(cleaned.items()):  # add_error() removes the field
            if company and isinstance(value, Model) and getattr(value, "company_id", company.pk) != company.pk:
                self.add_error(name, f"{value} doesn't belong to {company}.")
        for name in cleaned.keys() & ASSIGNABLE_ROLES.keys() & set(self.changed_data):
            user, roles = cleaned[name], assignable_roles(str(self._meta.model._meta.model_name), name)
            if user and not (user.is_active and user.role in roles):
                self.add_error(name, f"Must be an active {' or '.join(role.label for role in roles)}.")
        if self.refused:
            self._add_refusal(self.refused)
        return cleaned

    def validate_unique(self) -> None:
        """Check every constraint. Django skips those on fields outside the form, and the database would raise."""
        super().validate_unique()
        if self.is_valid():
            for refused in violations(self.instance):
                self._add_refusal(refused)

    def _update_errors(self, errors: forms.ValidationError) -> None:
        """Leave constraints to `validate_unique`, which names their fields."""
        if hasattr(errors, "error_dict"):
            errors.error_dict.pop(NON_FIELD_ERRORS, None)
        super()._update_errors(errors)  # type: ignore[misc]  # the stubs leave it out

    def _add_refusal(self, refused: RefusedWrite) -> None:
        self.add_error(refused.field if refused.field in self.fields else None, refused.sentence)
