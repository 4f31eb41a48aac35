"""Numbers of a contact."""

from datetime import UTC, datetime

import pytest

from crm.db.tenancy import tenant
from crm.models import Contact, ContactPhone, OptOut, SuppressedNumber
from crm.services.opt_outs import record_opt_out
from tests.api.test_idempotency import in_threads
from tests.conftest import signed_in
from tests.errors import code_of, codes_of, detail_of, existing_of
from tests.factories import (
    CallFactory,
    ContactFactory,
    ContactFlagFactory,
    ContactPhoneFactory,
    PhoneLineFactory,
    UserFactory,
)


@pytest.fixture
def contact(acme):
    return ContactFactory(company=acme, phone="+12125550123")


@pytest.fixture
def mobile(contact):
    return ContactPhoneFactory(contact=contact, phone="+12125550124", label="Mobile")


def url(contact, number=None):
    return f"/api/v1/contacts/{contact.pk}/phones" + (f"/{number.pk}" if number else "")


def numbers(api, contact):
    return [(row["number"], row["label"], row["is_main"]) for row in api.get(url(contact)).json()["results"]]


def test_numbers_of_a_contact_are_listed_with_the_main_one(csr_api, contact, mobile):
    ContactFactory(company=contact.company)
    assert numbers(csr_api, contact) == [("+12125550123", "", True), ("+12125550124", "Mobile", False)]
    row = csr_api.get(url(contact, mobile)).json()
    assert row == csr_api.get(url(contact)).json()["results"][1]


def test_number_is_added_in_any_format(csr_api, contact):
    answer = csr_api.post(url(contact), {"number": "(212) 555-0125", "label": "Work"})
    assert answer.status_code == 201, answer.content
    assert answer.json().items() >= {"number": "+12125550125", "label": "Work", "is_main": False}.items()
    assert csr_api.get(f"/api/v1/contacts/{contact.pk}").json()["phones"] == ["+12125550123", "+12125550125"]


def test_added_number_may_be_the_main_one_at_once(csr_api, contact):
    answer = csr_api.post(url(contact), {"number": "+12125550125", "is_main": True})
    assert answer.json()["is_main"] is True
    assert numbers(csr_api, contact) == [("+12125550123", "", False), ("+12125550125", "", True)]
    assert csr_api.get(f"/api/v1/contacts/{contact.pk}").json()["phone"] == "+12125550125"


def test_number_of_another_contact_is_a_conflict_that_names_it(csr_api, contact):
    other = ContactFactory(company=contact.company, first_name="Dana", last_name="Reed", phone="+12125550130")
    answer = csr_api.post(url(contact), {"number": "+12125550130"})
    assert codes_of(answer) == {"number": ["number_taken"]}
    assert "Dana Reed" in detail_of(answer)
    assert existing_of(answer) == other.pk
    again = csr_api.post(url(contact), {"number": contact.phone})
    assert (again.status_code, existing_of(again)) == (409, contact.pk)


def test_number_of_another_companys_contact_is_free(csr_api, contact, globex):
    ContactFactory(company=globex, phone="+12125550130")
    assert csr_api.post(url(contact), {"number": "+12125550130"}).status_code == 201


def test_number_of_a_phone_line_is_refused(csr_api, contact):
    line = PhoneLineFactory(company=contact.company)
    answer = csr_api.post(url(contact), {"number": line.number})
    assert answer.status_code == 400
    assert "phone lines" in answer.content.decode()


def test_label_can_be_changed_and_the_number_not(csr_api, contact, mobile):
    assert csr_api.patch(url(contact, mobile), {"label": "Home"}).json()["label"] == "Home"
    assert csr_api.patch(url(contact, mobile), {"number": "+12125550199"}).status_code == 400
    assert numbers(csr_api, contact)[1] == ("+12125550124", "Home", False)


def test_another_number_becomes_the_main_one(csr_api, contact, mobile):
    assert csr_api.patch(url(contact, mobile), {"is_main": True}).json()["is_main"] is True
    assert numbers(csr_api, contact) == [("+12125550123", "", False), ("+12125550124", "Mobile", True)]


def test_main_number_stays_until_another_is_the_main_one(csr_api, contact, mobile):
    main = ContactPhone._base_manager.get(phone=contact.phone)
    for refused in (csr_api.delete(url(contact, main)), csr_api.patch(url(contact, main), {"is_main": False})):
        assert code_of(refused) == "main_number"
    csr_api.patch(url(contact, mobile), {"is_main": True})
    assert csr_api.delete(url(contact, main)).status_code == 204
    assert numbers(csr_api, contact) == [("+12125550124", "Mobile", True)]


def test_do_not_contact_and_opt_out_stay_with_a_removed_number(csr_api, contact, mobile, acme):
    ContactFlagFactory(contact=contact, flag_type="do_not_contact")
    with tenant(acme.pk):
        record_opt_out(phone=mobile.phone, words="STOP", source="sms", occurred_at=datetime(2026, 3, 2, tzinfo=UTC))
    assert csr_api.delete(url(contact, mobile)).status_code == 204
    with tenant(acme.pk):
        assert SuppressedNumber.objects.count() == 1
        assert OptOut.objects.get().state == "opted_out"
    other = ContactFactory(company=acme)
    csr_api.post(url(other), {"number": mobile.phone})
    flags = csr_api.get(f"/api/v1/contact-flags?contact={other.pk}").json()["results"]
    assert {flag["flag_type"] for flag in flags} == {"do_not_contact", "opted_out"}


def test_numbers_of_a_contact_out_of_reach_are_not_found(rep, rep_api, outsider_api, contact, mobile):
    for api in (rep_api, outsider_api):
        assert api.get(url(contact)).status_code == 404
        assert api.get(url(contact, mobile)).status_code == 404
    CallFactory(contact=contact, assigned_rep=rep)
    assert rep_api.get(url(contact, mobile)).status_code == 200
    assert rep_api.post(url(contact), {"number": "+12125550125"}).status_code == 403


def test_number_is_not_found_below_another_contact(csr_api, contact, mobile):
    other = ContactFactory(company=contact.company)
    for method in ("get", "patch", "delete"):
        assert getattr(csr_api, method)(url(other, mobile), {}).status_code == 404


def test_change_of_a_number_that_somebody_else_has_changed_is_refused(csr_api, contact, mobile):
    tag = csr_api.get(url(contact, mobile))["ETag"]
    csr_api.patch(url(contact, mobile), {"label": "Home"})
    refused = csr_api.patch(url(contact, mobile), {"label": "Work"}, headers={"If-Match": tag})
    assert refused.status_code == 412
    assert csr_api.delete(url(contact, mobile), headers={"If-Match": tag}).status_code == 412


@pytest.mark.django_db(transaction=True)
def test_contact_keeps_exactly_one_main_number_whatever_happens_at_once():
    user = UserFactory(role="csr")
    contact = ContactFactory(company=user.company)
    others = [ContactPhoneFactory(contact=contact) for _ in range(3)]

    def change(n):
        api, number = signed_in(user), others[n % 3]
        return api.delete(url(contact, number)) if n > 2 else api.patch(url(contact, number), {"is_main": True})

    answers = in_threads(6, change)
    assert {answer.status_code for answer in answers} <= {200, 204, 404, 409}
    with tenant(user.company_id):
        main = Contact.objects.get(pk=contact.pk).phone
        assert ContactPhone.objects.with_is_main().filter(is_main=True).get().phone == main
