"""Writes that the database refuses: the same answer as for a value that a form or serializer refuses."""

import logging
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import CheckConstraint, UniqueConstraint
from django.urls import reverse
from rest_framework.test import APIClient

from crm.api.base.error_handler import ErrorHandler
from crm.api.invoices import InvoiceSerializer
from crm.db.tenancy import all_tenants, tenant
from crm.error_codes import ErrorCode
from crm.models import Contact, Invoice
from crm.refused_writes import explain, is_refused_by, refusals
from crm.services.contacts import PhoneTaken, save_contact
from tests import factories
from tests.conftest import postgres_only
from tests.db.catalogue import product_models
from tests.errors import codes_of, errors_of, existing_of

UNIQUE_AND_CHECKS = [
    (model, constraint)
    for model in product_models()
    for constraint in model._meta.constraints
    if isinstance(constraint, UniqueConstraint | CheckConstraint)
]


@pytest.fixture
def written_in_between(monkeypatch):
    """Another row is written between the serializer's check and the save: as if the check had found nothing."""
    for kind in (UniqueConstraint, CheckConstraint):
        monkeypatch.setattr(kind, "validate", lambda *_args, **_options: None)


@pytest.mark.parametrize(("model", "constraint"), UNIQUE_AND_CHECKS, ids=lambda part: getattr(part, "name", None))
def test_every_constraint_has_a_field_and_a_sentence(model, constraint):
    refused = refusals()[constraint.name]
    assert refused.field in {field.name for field in model._meta.fields}
    assert constraint.name not in refused.sentence
    assert refused.sentence.endswith(".")


def duplicates(acme):
    """Return the route of each resource with a unique value, a body that repeats it, the field, and the row."""
    contact = factories.ContactFactory(company=acme)
    flag = factories.ContactFlagFactory(contact=contact)
    invoice = factories.InvoiceFactory(contact=contact)
    line = factories.PhoneLineFactory(company=acme)
    member = factories.CampaignMembershipFactory(contact=contact)
    segment = factories.SegmentFactory(company=acme)
    snippet = factories.SnippetFactory(company=acme)
    user = factories.UserFactory(company=acme)
    tag, contact_list = factories.TagFactory(company=acme), factories.ContactListFactory(company=acme)
    custom_field = factories.ContactFieldFactory(company=acme)
    account = {"role": "csr", "password": "rain-gutter-43"}
    bill = {"contact": contact.pk, "number": invoice.number, "amount": "1.00", "due_date": "2026-05-04"}
    return [
        ("contacts", {"phone": contact.phone}, "phone", contact),
        ("contact-flags", {"contact": contact.pk, "flag_type": flag.flag_type}, "flag_type", flag),
        ("invoices", bill, "number", invoice),
        ("phone-lines", {"number": line.number}, "number", line),
        ("campaign-memberships", {"campaign": member.campaign.pk, "contact": contact.pk}, "contact", member),
        ("segments", {"name": segment.name, "definition": {"all": []}}, "name", segment),
        ("snippets", {"shortcut": snippet.shortcut, "body": "We are closed."}, "shortcut", snippet),
        ("users", account | {"username": user.username}, "username", user),
        ("tags", {"name": tag.name.upper()}, "name", tag),
        ("contact-lists", {"name": contact_list.name}, "name", contact_list),
        (
            "contact-fields",
            {"label": custom_field.label, "key": "another", "field_type": "number"},
            "label",
            custom_field,
        ),
    ]


def post_alone(api, route, body):
    with transaction.atomic():  # the refused statement must not end the test's own transaction
        return api.post(f"/api/v1/{route}", body)


def test_taken_value_names_the_row_that_has_it(manager_api, acme):
    for route, body, field, row in duplicates(acme):
        answer = post_alone(manager_api, route, body)
        assert codes_of(answer) == {field: ["unique"]}, route
        assert existing_of(answer) == row.pk, route


def test_number_beside_the_main_one_names_its_contact(csr_api, acme):
    number = factories.ContactPhoneFactory(contact__company=acme)
    answer = csr_api.post("/api/v1/contacts", {"phone": number.phone})
    assert (codes_of(answer), existing_of(answer)) == ({"phone": ["unique"]}, number.contact_id)
    other = factories.ContactFactory(company=acme)
    answer = csr_api.patch(f"/api/v1/contacts/{other.pk}", {"phone": number.phone})
    assert (codes_of(answer), existing_of(answer)) == ({"phone": ["unique"]}, number.contact_id)


def test_username_of_another_company_names_no_row(manager_api, globex):
    other = factories.UserFactory(company=globex)
    body = {"username": other.username, "role": "csr", "password": "rain-gutter-43"}
    answer = manager_api.post("/api/v1/users", body)
    assert (codes_of(answer), existing_of(answer)) == ({"username": ["unique"]}, None)


def test_row_out_of_reach_is_not_named(rep, manager, acme):
    """No rep may write a value that a row out of reach can have. If one ever may, this holds."""
    contact = factories.ContactFactory(company=acme)
    for user, named in ((manager, contact.pk), (rep, None)):
        handler = ErrorHandler(PhoneTaken(contact.phone, contact), {"request": SimpleNamespace(user=user)})
        with tenant(acme.pk):
            error = handler.convert_known_exceptions(handler.exc)
        [detail] = error.detail["phone"]
        assert getattr(detail.code, "existing", None) == named


def test_value_taken_in_between_is_answered_like_a_taken_value(manager_api, acme, request):
    bodies = duplicates(acme)
    before = [post_alone(manager_api, route, body) for route, body, *_ in bodies]
    request.getfixturevalue("written_in_between")
    after = [post_alone(manager_api, route, body) for route, body, *_ in bodies]
    assert [list(errors_of(answer)) for answer in after] == [[field] for _, _, field, _ in bodies]
    assert [errors_of(answer) for answer in after] == [errors_of(answer) for answer in before]
    assert [codes_of(answer) for answer in after] == [codes_of(answer) for answer in before]
    assert {answer.status_code for answer in after} == {400}


def test_refused_check_names_its_field(manager_api, acme, written_in_between):
    call = factories.CallFactory(contact__company=acme, direction="outgoing")
    answer = manager_api.patch(f"/api/v1/calls/{call.pk}", {"status": "missed"})
    assert (answer.status_code, errors_of(answer)) == (400, {"status": ["An outgoing call can't be missed."]})


def test_another_integrity_error_is_a_500_and_logged(manager, acme, monkeypatch, caplog):
    """A column without a value is a fault of the program: the user can't do anything about it."""
    contact = factories.ContactFactory(company=acme)
    body = {"contact": contact.pk, "number": "1", "amount": "1.00", "due_date": "2026-05-04"}
    monkeypatch.setattr(
        InvoiceSerializer, "create", lambda _self, data: Invoice.objects.create(**data | {"due_date": None})
    )
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(manager)
    with caplog.at_level(logging.ERROR, logger="django.request"):
        answer = client.post("/api/v1/invoices", body)
    assert answer.status_code == 500
    (record,) = [record for record in caplog.records if record.name == "django.request"]
    assert record.exc_info[0] is IntegrityError


def test_contact_without_a_number_is_not_reported_as_a_taken_number(acme):
    with all_tenants(), pytest.raises(IntegrityError) as refused:
        save_contact(contact=Contact(company=acme, phone=""))
    assert is_refused_by(refused.value, "contacts_phone_present")


def execute(*statements):
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@postgres_only
def test_reference_to_a_row_that_is_gone_names_the_field(in_acme):
    lead = factories.LeadFactory(contact__company=in_acme)
    with pytest.raises(IntegrityError) as refused:
        execute("SET CONSTRAINTS ALL IMMEDIATE", f"UPDATE leads SET contact_id = {2**40} WHERE id = {lead.pk}")
    reason = explain(refused.value)
    assert (reason.field, reason.sentence) == ("contact", "This contact no longer exists.")


@postgres_only
def test_deleting_a_row_that_another_refers_to_names_those_rows(in_acme):
    call = factories.CallFactory(contact__company=in_acme)
    with pytest.raises(IntegrityError) as refused:
        execute(
            "SET CONSTRAINTS calls_contact_card_id_same_company IMMEDIATE",
            f"DELETE FROM contacts WHERE id = {call.contact.pk}",
        )
    reason = explain(refused.value)
    assert (reason.code, reason.sentence) == (ErrorCode.IN_USE, "Can't be deleted: it still has calls.")


def invoice_form(invoice):
    return {
        "company": invoice.company.pk,
        "contact": invoice.contact.pk,
        "number": invoice.number,
        "amount": "1.00",
        "status": "draft",
        "due_date": "2026-05-04",
    }


def test_admin_shows_the_reason_at_the_field(client, staff, acme, written_in_between):
    client.force_login(staff)
    invoice = factories.InvoiceFactory(contact__company=acme)
    page = client.post(reverse("admin:crm_invoice_add"), invoice_form(invoice))
    assert page.status_code == 200
    assert page.context["adminform"].form.errors == {"number": ["Another invoice has this number."]}


def test_admin_raises_any_other_integrity_error(client, staff, acme, monkeypatch):
    client.force_login(staff)
    invoice = factories.InvoiceFactory(contact__company=acme)
    monkeypatch.setattr(Invoice, "save", lambda *_args, **_options: raise_unknown())
    with pytest.raises(IntegrityError, match="due_date"):
        client.post(reverse("admin:crm_invoice_add"), invoice_form(invoice) | {"number": "other"})


def raise_unknown():
    raise IntegrityError("NOT NULL constraint failed: invoices.due_date")
