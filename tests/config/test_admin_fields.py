"""Days, times and numbers that staff type, in every form of the admin."""

import pytest
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError

from crm.db.tenancy import all_tenants

WRONG_DAYS = [
    "0999-12-31",
    "1969-12-31",
    "2101-01-01",
    "2026-1-1",
    "20260101",
    "٢٠٢٦-٠١-٠١",
    "２０２６-01-01",
    "1/2/2026",
]
WRONG_NUMBERS = ["١٢", "１２", "1_2", "²"]


@pytest.fixture
def fields(staff, rf):
    """The fields of every form, inlines too, by `model.field`."""
    request = rf.get("/")
    request.user = staff
    found = {}
    with all_tenants():
        for model, model_admin in admin.site._registry.items():
            inlines = [inline(model, admin.site) for inline in model_admin.inlines]
            rows = (None, model()) if model_admin.has_add_permission(request) else (model(),)
            every_form = [model_admin.get_form(request, row, change=row is not None) for row in rows]
            every_form += [inline.get_formset(request).form for inline in inlines]
            for form in every_form:
                for name, field in form.base_fields.items():
                    found[f"{form._meta.model._meta.model_name}.{name}"] = field
        yield found


def those_that_read(fields, value, message):
    """Return the names of the fields that accept a value, or refuse it for another reason."""
    names = []
    for name, field in fields.items():
        try:
            field.clean([value] if isinstance(field, forms.ModelMultipleChoiceField) else value)
        except ValidationError as error:
            if message in error.messages[0]:
                continue
        names.append(name)
    return names


def of_kind(fields, *kinds):
    return {name: field for name, field in fields.items() if isinstance(field, kinds)}


def test_every_kind_of_time_and_number_is_covered_here(fields):
    assert "invoice.due_date" in of_kind(fields, forms.DateField)
    instants = of_kind(fields, forms.SplitDateTimeField)
    assert {"campaign.scheduled_at", "phoneline.paused_until", "callanalysis.analyzed_at"} <= set(instants)
    assert {"company.retention_days", "phoneline.daily_cap"} <= set(of_kind(fields, forms.IntegerField))
    references = of_kind(fields, forms.ModelChoiceField)
    assert {"appointment.call", "call.lead", "user.groups"} <= set(references)
    assert not of_kind(fields, forms.DateTimeField, forms.TimeField, forms.DurationField, forms.FloatField)


@pytest.mark.parametrize("typed", WRONG_DAYS)
def test_day_out_of_range_or_in_another_form_is_refused(fields, typed):
    assert those_that_read(of_kind(fields, forms.DateField), typed, "Must be a day") == []
    assert those_that_read(of_kind(fields, forms.SplitDateTimeField), [typed, "12:00"], "Must be a day") == []


@pytest.mark.parametrize("typed", ["١٢:٠٠", "１２:00"])
def test_time_of_day_in_other_digits_is_refused(fields, typed):
    instants = of_kind(fields, forms.SplitDateTimeField)
    assert those_that_read(instants, ["2026-03-02", typed], "in the digits 0 to 9") == []


def test_time_after_the_last_instant_is_refused(fields):
    instants = of_kind(fields, forms.SplitDateTimeField)
    beyond = "Must be a time from 1970-01-01 to 2100-12-31."
    assert those_that_read(instants, ["2100-12-31", "00:01"], beyond) == []
    assert those_that_read(instants, ["2100-12-31", "00:00"], beyond) == list(instants)


@pytest.mark.parametrize("typed", WRONG_NUMBERS)
def test_number_or_id_in_other_digits_is_refused(fields, typed):
    numbers = of_kind(fields, forms.IntegerField, forms.ModelChoiceField)
    numbers = {name: field for name, field in numbers.items() if not isinstance(field, forms.DecimalField)}
    assert those_that_read(numbers, typed, "in the digits 0 to 9") == []


@pytest.mark.parametrize("typed", ["x", "-1", "  ", "9" * 23, *WRONG_NUMBERS])
def test_row_that_no_id_names_is_refused_on_a_page_that_is_shown_again(client, staff, typed):
    client.force_login(staff)
    for page, names in (("campaignmembership", ("company", "campaign", "contact")), ("campaign", ("phone_line",))):
        response = client.post(f"/admin/crm/{page}/add/", dict.fromkeys(names, typed))
        assert response.status_code == 200
        assert response.context["adminform"].form.errors.keys() >= set(names)


def test_staff_group_that_no_id_names_is_refused_on_a_page_that_is_shown_again(client, staff):
    client.force_login(staff)
    for typed in ("x", "9" * 23):
        response = client.post(f"/admin/crm/user/{staff.pk}/change/", {"username": "stella", "groups": [typed]})
        assert "groups" in response.context["adminform"].form.errors
