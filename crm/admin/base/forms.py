"""Base form and form fields of the admin."""

from typing import Any

from django import forms
from django.db.models import Model

from crm.models import Company
from crm.phones import MAX_LENGTH, InvalidPhone, normalize_phone


class PhoneFormField(forms.CharField):
    """A phone number in any format, cleaned to E.164."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_LENGTH, **kwargs)

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        try:
            return normalize_phone(text) if text else text
        except InvalidPhone as error:
            raise forms.ValidationError(str(error)) from error


class RowForm(forms.ModelForm):
    """Form of a company's row. Rejects references into other companies and checks every constraint."""

    @property
    def company(self) -> Company | None:
        """The chosen company, or that of an existing row."""
        return self.cleaned_data.get("company") or (self.instance.company if self.instance.company_id else None)

    def clean(self) -> dict[str, Any]:
        cleaned, company = super().clean() or self.cleaned_data, self.company
        for name, value in list(cleaned.items()):  # add_error() removes the field
            if company and isinstance(value, Model) and getattr(value, "company_id", company.pk) != company.pk:
                self.add_error(name, f"{value} doesn't belong to {company}.")
        return cleaned

    def validate_unique(self) -> None:
        """Also check constraints on fields outside the form: Django skips those, and the database would raise."""
        super().validate_unique()
        if self.is_valid():
            try:
                self.instance.validate_constraints()
            except forms.ValidationError as error:
                self.add_error(None, error)
