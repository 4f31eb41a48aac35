"""Forms that several models share."""

from typing import Any

from django import forms
from django.db.models import Model

from crm.models import Company
from crm.phones import MAX_LENGTH, InvalidPhone, normalize_phone


class PhoneFormField(forms.CharField):
    """A phone number in any spelling; cleaned it is E.164."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_LENGTH, **kwargs)

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        try:
            return normalize_phone(text) if text else text
        except InvalidPhone as error:
            raise forms.ValidationError(str(error)) from error


class RowForm(forms.ModelForm):
    """A row of one company, which never points into another, and is held to every constraint of its table."""

    @property
    def company(self) -> Company | None:
        """The row's company: chosen here, or known from before."""
        return self.cleaned_data.get("company") or (self.instance.company if self.instance.company_id else None)

    def clean(self) -> dict[str, Any]:
        cleaned, company = super().clean() or self.cleaned_data, self.company
        for name, value in list(cleaned.items()):  # an error takes its field out
            if company and isinstance(value, Model) and getattr(value, "company_id", company.pk) != company.pk:
                self.add_error(name, f"{value} is not of {company}.")
        return cleaned

    def validate_unique(self) -> None:
        """Django leaves out constraints that name a field which is not on the page; the database would raise."""
        super().validate_unique()
        if self.is_valid():
            try:
                self.instance.validate_constraints()
            except forms.ValidationError as error:
                self.add_error(None, error)
