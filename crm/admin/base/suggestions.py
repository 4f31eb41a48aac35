"""Boxes of forms that suggest rows as somebody types: those of the form's company."""

from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.utils.http import urlencode

from crm.form_fields import is_id

COMPANY = "company__id__exact"  # as in the URLs of lists


class OfCompany:
    """A box whose company is set by its form; a company that is chosen in the form itself comes from the script."""

    company: Any = None

    def get_url(self) -> str:
        url: str = super().get_url()  # type: ignore[misc]
        return f"{url}?{urlencode({COMPANY: self.company})}" if self.company else url

    @property
    def media(self) -> forms.Media:
        shared: forms.Media = super().media  # type: ignore[misc]
        return shared + forms.Media(js=["admin/js/jquery.init.js", "crm/company_rows.js"])


class SuggestedRow(OfCompany, AutocompleteSelect):
    """One row."""


class SuggestedRows(OfCompany, AutocompleteSelectMultiple):
    """Some rows."""


def suggest_rows_of(company: Any, form: forms.BaseForm) -> None:
    """Let the form's boxes suggest rows of this company, if it is an ID."""
    if not is_id(str(company)):
        return
    for field in form.fields.values():
        box = getattr(field.widget, "widget", field.widget)  # the admin wraps it with an icon
        if isinstance(box, OfCompany):
            box.company = company
