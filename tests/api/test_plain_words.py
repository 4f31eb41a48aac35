"""Texts of errors: sentences that say what to do, never the libraries' own."""

from itertools import chain

import pytest
from rest_framework import exceptions, fields, relations, serializers
from rest_framework_simplejwt.exceptions import InvalidToken

from crm.api.base.plain_words import SENTENCES, in_plain_words
from crm.api.base.serializers import BodySerializer, TenantSerializer
from crm.error_codes import ErrorCode
from tests.errors import detail_of, errors_of
from tests.factories import ContactFactory

APPS = ("crm.", "calls.", "messaging.", "analytics.")
# Never sent: the product's own fields check the value first.
CHECKED_BEFORE = {
    "Expected a datetime but got a date.", "Expected a date but got a datetime.", "Datetime value out of range.",
    'Invalid datetime for the timezone "{timezone}".', "This value does not match the required pattern.",
    "Integer value too large to convert to float",
}  # fmt: skip


def body_serializers(base=BodySerializer):
    return [base, *chain.from_iterable(map(body_serializers, base.__subclasses__()))]


def texts_of_fields():
    """Yield the texts of all fields that a request may have."""
    below = [
        serializer()
        for serializer in body_serializers()
        if serializer.__module__.startswith(APPS) and serializer is not TenantSerializer
    ]
    while below:
        field = below.pop()
        if getattr(field, "read_only", False):
            continue
        yield from map(str, field.error_messages.values())
        below += getattr(field, "fields", {}).values()
        below += filter(None, [getattr(field, "child", None), getattr(field, "child_relation", None)])


def stock_texts():
    """Return the texts of the library's fields."""
    kinds = [kind for module in (fields, relations, serializers) for kind in vars(module).values()]
    messages = [getattr(kind, "default_error_messages", {}) for kind in kinds]
    return {str(text) for each in messages for text in each.values()}


def test_texts_of_fields_are_our_own():
    stock = set(texts_of_fields()) & stock_texts()
    assert len(stock) > 15
    assert stock - SENTENCES.keys() <= CHECKED_BEFORE


@pytest.mark.parametrize("kind", [*exceptions.APIException.__subclasses__(), InvalidToken])
def test_texts_of_exceptions_are_our_own(kind):
    if kind.__module__.startswith("rest_framework") and kind is not exceptions.ValidationError:
        assert str(kind.default_detail) in SENTENCES


def test_documented_texts_are_those_that_are_sent():
    assert [code for code in ErrorCode if in_plain_words(code.detail) != code.detail] == []


@pytest.mark.parametrize(
    ("body", "field", "sentence"),
    [
        (
            {"contact": 999_999},
            "contact",
            "There is no row with the ID 999999, or you may not use it. Choose another one.",
        ),
        ({"contact": None}, "contact", "Must not be null: send a value, or leave the field out."),
        ({"status": "sold"}, "status", "Must be one of: new, contacted, qualified, booked, won, lost."),
        ({"source": "x" * 101}, "source", "Must have at most 100 characters."),
        ([], "non_field_errors", "Must be a JSON object."),
    ],
)
def test_invalid_field_is_told_in_a_sentence(body, field, sentence, csr_api, acme):
    contact = ContactFactory(company=acme)
    sent = {"contact": contact.pk} | body if isinstance(body, dict) else body
    assert errors_of(csr_api.post("/api/v1/leads", sent))[field] == [sentence]


def test_unknown_choice_of_a_filter_lists_the_choices(csr_api):
    [detail] = errors_of(csr_api.get("/api/v1/leads?status=sold"))["status"]
    assert detail == "Must be one of: new, contacted, qualified, booked, won, lost."


@pytest.mark.parametrize(
    ("method", "path", "body", "sentence"),
    [
        ("GET", "leads/999999", "", "There is no such row or URL, or you may not see it."),
        ("PUT", "leads", "{}", "This URL takes no PUT. The Allow header lists what it takes."),
    ],
)
def test_refused_request_is_told_in_a_sentence(method, path, body, sentence, csr_api):
    assert detail_of(csr_api.generic(method, f"/api/v1/{path}", body, "application/json")) == sentence


def test_body_that_is_no_json_is_told_where(csr_api):
    answer = csr_api.generic("POST", "/api/v1/leads", '{"contact": ', "application/json")
    assert detail_of(answer).startswith("The body isn't valid JSON: Expecting value")
