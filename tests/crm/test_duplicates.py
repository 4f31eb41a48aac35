"""Duplicates: which pairs of contacts are found, scored, remembered, and what merging makes of them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.models import Company, Contact, DuplicateCandidate
from crm.services.contacts import update_contact
from crm.services.duplicates.decisions import Decided, dismiss_duplicate, merge_duplicate
from crm.services.duplicates.scores import score_of
from crm.services.duplicates.search import request_search, search_duplicates, search_next_company
from crm.services.merging.merge import merge_contacts
from crm.services.merging.undo import undo_merge
from tests import factories

pytestmark = pytest.mark.django_db
AT_HOME = {"address": "12 Elm Street", "postal_code": "80202"}


def add(company, first_name="Robin", last_name="Field", **values):
    return factories.ContactFactory(company=company, first_name=first_name, last_name=last_name, **values)


def search(company, since=None):
    search_duplicates(company_id=company.pk, since=since)
    return [(row.first, row.second, *row.reasons) for row in DuplicateCandidate.objects.order_by("-score", "pk")]


def test_same_email_address_in_another_case_is_found(in_acme):
    one, two = add(in_acme, email="robin@example.com"), add(in_acme, email="Robin@Example.com")
    assert search(in_acme) == [(one, two, "email")]


def test_same_name_and_address_is_found(in_acme):
    one, two = add(in_acme, **AT_HOME), add(in_acme, "Robyn", **AT_HOME | {"address": "12 Elm St."})
    add(in_acme, **AT_HOME | {"address": "14 Elm Street"})
    add(in_acme, **AT_HOME | {"postal_code": "80203"})
    assert search(in_acme) == [(one, two, "name_address")]


def test_family_at_one_address_is_not_found(in_acme):
    add(in_acme, "Robin", **AT_HOME)
    add(in_acme, "Kim", **AT_HOME)
    assert search(in_acme) == []


def test_main_number_that_another_program_wrote_is_found(in_acme):
    one, two = add(in_acme), add(in_acme)
    second = factories.ContactPhoneFactory(contact=one)
    Contact.objects.filter(pk=two.pk).update(phone=second.phone)
    assert search(in_acme) == [(one, two, "phone")]


def test_contacts_of_two_companies_are_not_compared(in_acme, globex):
    add(in_acme, email="robin@example.com")
    add(globex, email="robin@example.com")
    assert search(in_acme) == []


def test_likelier_pairs_have_higher_scores():
    names = ("Robin Field", "Robin Field")
    everything = score_of(["email", "name_address"], *names)
    assert (
        everything
        > score_of(["email"], *names)
        > score_of(["name_address"], *names)
        > score_of(["name_address"], "Robin Field", "Kim Field")
    )
    assert score_of(["email"], "Robin Field", "") < score_of(["email"], *names)


def test_group_of_four_is_compared_completely_and_larger_ones_nearby(in_acme):
    for _ in range(4):
        add(in_acme, email="robin@example.com")
    assert len(search(in_acme)) == 6
    for _ in range(16):
        add(in_acme, email="office@example.com")
    assert len(search(in_acme)) == 6 + 3 * 16 - 6


def test_decision_is_never_asked_for_again(in_acme, csr):
    add(in_acme, email="robin@example.com")
    add(in_acme, email="robin@example.com")
    search(in_acme)
    dismissed = dismiss_duplicate(candidate=DuplicateCandidate.objects.get(), user=csr)
    assert (dismissed.state, dismissed.decided_by) == ("not_the_same", csr)
    search(in_acme)
    assert DuplicateCandidate.objects.get().state == "not_the_same"
    with pytest.raises(Decided):
        merge_duplicate(candidate=dismissed, user=csr)


def test_pair_with_nothing_in_common_any_more_is_forgotten(in_acme):
    one, two = add(in_acme, email="robin@example.com"), add(in_acme, email="robin@example.com")
    search(in_acme)
    update_contact(contact=two, email="")
    assert search(in_acme) == []
    assert Contact.objects.filter(pk__in=[one.pk, two.pk]).count() == 2


def test_later_search_takes_changed_contacts_alone(in_acme):
    add(in_acme, email="robin@example.com")
    add(in_acme, email="robin@example.com")
    assert search(in_acme, since=timezone.now() + timedelta(hours=1)) == []
    assert len(search(in_acme, since=timezone.now() - timedelta(hours=1))) == 1


def test_merge_decides_the_pair_and_takes_the_others_along(in_acme, csr):
    one, two, three = (add(in_acme, email="robin@example.com") for _ in range(3))
    search(in_acme)
    with_three = DuplicateCandidate.objects.get(first=two, second=three)
    dismiss_duplicate(candidate=with_three, user=csr)
    before = sorted(DuplicateCandidate.objects.values_list("pk", "first", "second", "state", "decided_by"))
    pair = DuplicateCandidate.objects.get(first=one, second=two)
    merged = merge_duplicate(candidate=pair, user=csr, kept_id=one.pk)
    pair.refresh_from_db()
    assert (pair.first, pair.second, pair.state, pair.decided_by) == (one, None, "merged", csr)
    assert DuplicateCandidate.objects.get(first=one, second=three).state == "not_the_same"
    undo_merge(merge=merged, user=csr)
    after = sorted(DuplicateCandidate.objects.values_list("pk", "first", "second", "state", "decided_by"))
    assert after == before


def test_candidate_with_a_third_contact_goes_over_in_order(in_acme):
    one, two, three = (add(in_acme) for _ in range(3))
    candidate = factories.DuplicateCandidateFactory(company=in_acme, first=one, second=two)
    merge_contacts(kept=three, gone=one, user=None)
    candidate.refresh_from_db()
    assert (candidate.first, candidate.second, candidate.state) == (two, three, "open")


@pytest.mark.django_db(transaction=True)  # the worker has no transaction around it
def test_worker_searches_each_company_once_an_hour(acme, globex):
    for company in (acme, globex):
        add(company, email="robin@example.com")
        add(company, email="robin@example.com")
    while search_next_company():
        pass
    assert set(DuplicateCandidate._base_manager.values_list("company", flat=True)) == {acme.pk, globex.pk}
    assert not search_next_company()
    request_search(company_id=acme.pk)
    assert search_next_company()
    assert Company.objects.get(pk=acme.pk).duplicates_run_at > timezone.now()
