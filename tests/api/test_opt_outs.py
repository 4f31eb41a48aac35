"""Opt-outs, their review, and manual flags, through the API."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.db.tenancy import tenant
from crm.models import ContactFlag, OptOut, OptOutEntry
from crm.services.opt_outs import flag_possible_opt_out, lock_opt_out, record_opt_in, record_opt_out
from tests.count_queries import CountQueries
from tests.errors import detail_of, errors_of
from tests.factories import CallFactory, ContactFactory, ContactFlagFactory, ContactPhoneFactory, fictional_number

OPT_OUTS, FLAGS = "/api/v1/opt-outs", "/api/v1/contact-flags"
SECOND = fictional_number(42_101)


@pytest.fixture
def contact(acme):
    contact = ContactFactory(company=acme)
    ContactPhoneFactory(contact=contact, phone=SECOND)
    return contact


@pytest.fixture
def under_review(contact):
    record(flag_possible_opt_out, contact.company, SECOND, "off your list, please")
    with tenant(contact.company_id):
        return OptOut.objects.get()


def record(service, company, phone, words="STOP"):
    with tenant(company.pk):
        service(phone=phone, words=words, source="sms", occurred_at=timezone.now())


def found(api, **parameters):
    return [row["phone"] for row in api.get(OPT_OUTS, parameters).json()["results"]]


def test_opt_out_shows_its_contact_and_history(csr_api, contact, under_review):
    row = csr_api.get(f"{OPT_OUTS}/{under_review.pk}").json()
    assert (row["contact"], row["phone"], row["state"]) == (contact.pk, SECOND, "under_review")
    assert [(entry["action"], entry["words"]) for entry in row["entries"]] == [("suspected", "off your list, please")]


def test_opt_outs_can_be_filtered_by_state_and_contact(csr_api, contact, under_review, acme, globex):
    stranger = ContactFactory(company=acme)
    record(record_opt_out, acme, stranger.phone)
    record(record_opt_out, globex, contact.phone)
    assert found(csr_api) == [stranger.phone, SECOND]
    assert found(csr_api, state="under_review") == [SECOND]
    assert found(csr_api, state="opted_out") == [stranger.phone]
    assert found(csr_api, contact=contact.pk) == [SECOND]
    assert found(csr_api, contact=10**9) == []
    foreign = ContactFactory(company=globex, phone=stranger.phone)
    assert found(csr_api, contact=foreign.pk) == []


def test_number_without_a_decision_is_not_listed(csr_api, acme):
    with tenant(acme.pk):
        lock_opt_out(phone=SECOND)
    assert found(csr_api) == []


def test_opt_out_list_takes_a_constant_number_of_queries(csr_api, acme):
    def cost():
        with CountQueries() as queries:
            csr_api.get(OPT_OUTS)
        return len(queries)

    record(record_opt_out, acme, SECOND)
    before = cost()
    for n in range(3):
        record(record_opt_in, acme, SECOND)
        record(record_opt_out, acme, fictional_number(42_110 + n))
    assert cost() == before


@pytest.mark.parametrize(("answer", "state", "flags"), [("confirm", "opted_out", 1), ("dismiss", "clear", 0)])
def test_review_is_decided_once(csr, csr_api, contact, under_review, answer, state, flags):
    response = csr_api.post(f"{OPT_OUTS}/{under_review.pk}/{answer}")
    assert (response.status_code, response.json()["state"]) == (200, state)
    assert response.json()["entries"][-1]["created_by"] == csr.pk
    with tenant(contact.company_id):
        assert contact.flags.opted_out().count() == flags
    again = csr_api.post(f"{OPT_OUTS}/{under_review.pk}/{answer}")
    assert again.status_code == 409
    assert "under review" in detail_of(again)


def test_flag_under_review_shows_its_state(csr_api, contact, under_review):
    [flag] = csr_api.get(FLAGS, {"contact": contact.pk}).json()["results"]
    assert (flag["flag_type"], flag["review_state"]) == ("opted_out", "pending")


def test_manual_flag_opts_out_until_it_is_ended(csr, csr_api, contact):
    body = {"contact": contact.pk, "flag_type": "opted_out", "reason": "Rang us.", "evidence": "No texts, she said."}
    flag = csr_api.post(FLAGS, body).json()
    assert (flag["reason"], flag["source"], flag["evidence"]) == ("Rang us.", "manual", "No texts, she said.")
    assert (flag["created_by"], flag["review_state"]) == (csr.pk, "confirmed")
    with tenant(contact.company_id):
        assert list(OptOut.objects.values_list("state", flat=True)) == ["opted_out", "opted_out"]
        entries = set(OptOutEntry.objects.values_list("words", "source", "created_by"))
    assert entries == {("No texts, she said.", "manual", csr.pk)}
    ended = csr_api.patch(f"{FLAGS}/{flag['id']}", {"expires_at": timezone.now().isoformat()})
    assert (ended.status_code, ended.json()["expires_at"] is None) == (200, False)
    with tenant(contact.company_id):
        assert list(OptOut.objects.values_list("state", flat=True)) == ["clear", "clear"]
        assert OptOutEntry.objects.filter(action="opted_in", source="manual", created_by=csr).count() == 2


def test_reason_of_an_opt_out_can_be_changed(csr_api, contact):
    flag = csr_api.post(FLAGS, {"contact": contact.pk, "flag_type": "opted_out"}).json()
    changed = csr_api.patch(f"{FLAGS}/{flag['id']}", {"reason": "Rang us."}).json()
    assert (changed["reason"], changed["expires_at"]) == ("Rang us.", None)


@pytest.mark.parametrize("change", [{"flag_type": "office_number"}, {"expires_at": "ahead"}, {"contact": "another"}])
def test_type_contact_and_future_end_of_an_opt_out_are_rejected(csr_api, contact, acme, change):
    flag = csr_api.post(FLAGS, {"contact": contact.pk, "flag_type": "opted_out"}).json()
    values = {"ahead": (timezone.now() + timedelta(days=1)).isoformat(), "another": ContactFactory(company=acme).pk}
    response = csr_api.patch(
        f"{FLAGS}/{flag['id']}", {name: values.get(value, value) for name, value in change.items()}
    )
    assert response.status_code == 400
    assert set(errors_of(response)) <= {"flag_type", "expires_at", "contact"}
    with tenant(acme.pk):
        assert contact.flags.opted_out().exists()


def test_flag_cannot_become_an_opt_out_or_end_in_the_future(csr_api, contact):
    flag = ContactFlagFactory(contact=contact, flag_type="office_number")
    assert "flag_type" in errors_of(csr_api.patch(f"{FLAGS}/{flag.pk}", {"flag_type": "opted_out"}))
    body = {"contact": contact.pk, "flag_type": "opted_out", "expires_at": "2030-01-01T00:00:00Z"}
    assert "expires_at" in errors_of(csr_api.post(FLAGS, body))
    with tenant(contact.company_id):
        assert not OptOut.objects.exists()


def test_ended_opt_out_cannot_be_reopened(csr_api, contact):
    flag = csr_api.post(FLAGS, {"contact": contact.pk, "flag_type": "opted_out"}).json()
    csr_api.patch(f"{FLAGS}/{flag['id']}", {"expires_at": timezone.now().isoformat()})
    assert "expires_at" in errors_of(csr_api.patch(f"{FLAGS}/{flag['id']}", {"expires_at": None}))
    assert csr_api.post(FLAGS, {"contact": contact.pk, "flag_type": "opted_out"}).status_code == 201
    with tenant(contact.company_id):
        assert ContactFlag.objects.filter(contact=contact).count() == 2


def test_rep_opts_out_an_own_contact_but_cannot_list_opt_outs(rep, rep_api, acme):
    contact = CallFactory(contact__company=acme, assigned_rep=rep).contact
    assert rep_api.post(FLAGS, {"contact": contact.pk, "flag_type": "opted_out"}).status_code == 201
    with tenant(acme.pk):
        assert OptOut.objects.get().state == "opted_out"
    assert rep_api.get(OPT_OUTS).status_code == 403


def test_opt_outs_cannot_be_created_changed_or_deleted(manager_api, under_review):
    assert manager_api.delete(f"{OPT_OUTS}/{under_review.pk}").status_code == 405
    assert manager_api.patch(f"{OPT_OUTS}/{under_review.pk}", {"state": "clear"}).status_code == 405
    assert manager_api.post(OPT_OUTS, {"phone": SECOND}).status_code == 405
