"""Odd values in the URLs of the admin's pages: an answer that says what is wrong, never an internal error."""

import pytest
from django.contrib.admin.utils import get_fields_from_path
from django.db import models
from django.urls import reverse

from tests.config.test_admin_pages import OURS, make_rows, model_admin_of, page

FILTERS_BEFORE_TIME = ("activity_type__exact", "company__id__exact", "contact__id__exact", "conversation__id__exact")
HUGE = "9" * 23
ODD_QUERIES = [
    f"company={HUGE}", f"company__id__exact={HUGE}", f"id__in={HUGE}", "id__range=1", "id__range=",
    "created_at__year=0", "created_at__range=", "created_at__year=-1", f"contact={HUGE}", "created_at__gte=soon",
    *(f"{parameter}={value}" for parameter in FILTERS_BEFORE_TIME for value in ("1", "x", HUGE)),
    "q=%00", f"q=%23{HUGE}", "q=%23%C2%B2", "q=%ED%A0%80", "company__id__exact=%C2%B2&q=ann",
    "p=99999999999999999999", "p=-1", "p=x", "o=9", "o=x.-.%D9%A1", "all=x", "e=x", "_popup=x", "_to_field=x",
]  # fmt: skip
FIRST_YEAR, LAST_YEAR = "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-12:00"
ODD_TIMES = (FIRST_YEAR, LAST_YEAR, "0001-01-01", "%D9%A2%D9%A0%D9%A2%D9%A6-01-01", "-1", "")
# One odd value that the column of each kind can't hold, by its first class here.
ODD_VALUES = {
    models.DateField: FIRST_YEAR,
    models.DecimalField: "1e999999",
    models.IntegerField: f"-{HUGE}",
    models.BooleanField: "x",
    models.Field: "%F0%9F%93%9E",
}
EVERY_LIST = [*OURS, "group"]


def odd_value_of(field):
    return next(value for kind, value in ODD_VALUES.items() if isinstance(field, kind))


def odd_queries_of(name):
    """Return queries about each column of a list, and about each of its filters by days."""
    model_admin = model_admin_of(name)
    for field in model_admin.opts.concrete_fields:
        value = odd_value_of(field)
        yield from (f"{field.name}={value}", f"{field.name}__gte={value}", f"{field.name}__isnull=x")
    for column in (each[0] if isinstance(each, tuple) else each for each in model_admin.list_filter):
        if isinstance(column, str) and isinstance(
            get_fields_from_path(model_admin.model, column)[-1], models.DateField
        ):
            yield from (f"{column}__{end}={value}" for end in ("gte", "lt", "from", "to") for value in ODD_TIMES)
            yield f"{column}=someday"


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERY_LIST)
def test_list_answers_odd_parameters_without_failing(name, staff_client):
    make_rows(name, 1) if name in OURS else None
    for query in (*ODD_QUERIES, *odd_queries_of(name)):
        response = staff_client.get(f"{page(name, 'changelist')}?{query}")
        assert response.status_code in (200, 302, 400), query


@pytest.mark.parametrize("value", [*ODD_TIMES[:4], "2101-01-01T00:00:00Z", "1969-12-31T00:00:00Z", "soon"])
@pytest.mark.parametrize("end", ["gte", "lt", "from", "to"])
@pytest.mark.parametrize(("name", "column"), [("call", "created_at"), ("invoice", "due_date")])
def test_time_that_no_row_can_have_is_answered_beside_the_filter(name, column, end, value, staff_client):
    company = make_rows(name, 1)[0].company_id
    query = f"company__id__exact={company}&{column}__{end}={value}"
    response = staff_client.get(f"{page(name, 'changelist')}?{query}")
    assert response.status_code == 200
    assert 'class="filter-error" role="alert">Must be a ' in response.content.decode()
    assert not response.context["cl"].result_list


# Pages with parameters of their own. `{id}` is a row of the page's table.
PAGES = {
    "admin:index": ("company={}",),
    "admin:search": ("q={}",),
    "admin:index_health": ("measure={}", "sort={}", "table={}"),
    "admin:autocomplete": ("term={}", "app_label={}", "app_label=calls&model_name=call&field_name={}",
                           "app_label=calls&model_name=call&field_name=contact&term={}",
                           "app_label=calls&model_name=call&field_name=contact&company__id__exact={}",
                           "app_label=calls&model_name=call&field_name=contact&page={}"),
    "admin:calls_appointment_week": ("day={}", "company={}"),
    "admin:calls_appointment_day": ("day={}", "company={}"),
    "admin:crm_segment_choices": ("company={}", "model={}", "model=tag&q={}", "model=tag&ids={}"),
    "admin:crm_conversation_change": ("before={}", "at={}", "again={}"),
    "admin:crm_contact_merge": ("other={}",),
    "admin:crm_lead_conversion": ("company={}", "from={}&to=2026-03-01", "from=2026-03-01&to={}"),
    "admin:calls_appointment_move": ("day={}", "time={}", "rep={}", "view={}"),
    "admin:analytics_callanalysis_add": ("call={}",),
}  # fmt: skip
ODD_TEXTS = ("x", HUGE, "-1", "%00", "%ED%A0%80", "%D9%A1%D9%A2", "%C2%B2", "0001-01-01", "9999-12-31", "2026-02-30",
             "%23" + HUGE, "%25", "'", "x" * 3000)  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_page_answers_odd_parameters_without_failing(name, staff_client):
    *_, model, view = name.split("_") if "_" in name else ("", "")
    args = [make_rows(model, 1)[0].pk] if view in ("change", "merge", "move") else []
    for parameter in PAGES[name]:
        for text in ODD_TEXTS:
            response = staff_client.get(f"{reverse(name, args=args)}?{parameter.format(text)}")
            assert response.status_code < 500, (parameter, text)
