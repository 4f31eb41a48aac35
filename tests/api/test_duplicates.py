"""The queue of duplicates through the API."""

import pytest

from crm.models import Company, Contact
from tests import factories
from tests.errors import code_of

pytestmark = pytest.mark.django_db
URL = "/api/v1/duplicates"


@pytest.fixture
def candidate(acme):
    return factories.DuplicateCandidateFactory(company=acme, reasons=["email", "phone"], score=90)


def test_list_has_the_likeliest_first_on_every_page(csr_api, acme, candidate):
    rows = [factories.DuplicateCandidateFactory(company=acme, score=score) for score in (60, 100, 90)]
    expected = [rows[1].pk, rows[2].pk, candidate.pk, rows[0].pk]
    assert [row["id"] for row in csr_api.get(URL).json()["results"]] == expected
    page = csr_api.get(URL, {"limit": 1}).json()
    found = [page["results"][0]["id"]]
    while page["next"]:
        page = csr_api.get(page["next"]).json()
        found.append(page["results"][0]["id"])
    assert found == expected


def test_list_is_filtered_by_state_and_contact(csr_api, acme, candidate):
    factories.DuplicateCandidateFactory(company=acme)
    csr_api.post(f"{URL}/{candidate.pk}/dismiss")
    for parameters in ({"state": "not_the_same"}, {"contact": candidate.first_id}, {"contact": candidate.second_id}):
        assert [row["id"] for row in csr_api.get(URL, parameters).json()["results"]] == [candidate.pk]


def test_merge_keeps_the_chosen_contact(csr, csr_api, candidate):
    body = {"kept": candidate.second_id, "fields": {"first_name": "gone"}}
    merged = csr_api.post(f"{URL}/{candidate.pk}/merge", body).json()
    assert (merged["kept"], merged["gone"], merged["created_by"]) == (candidate.second_id, candidate.first_id, csr.pk)
    row = csr_api.get(f"{URL}/{candidate.pk}").json()
    assert (row["state"], row["first"], row["second"], row["decided_by"]) == (
        "merged", None, candidate.second_id, csr.pk
    )  # fmt: skip
    again = csr_api.post(f"{URL}/{candidate.pk}/merge")
    assert (again.status_code, code_of(again)) == (409, "duplicate_decided")
    csr_api.post(f"/api/v1/merges/{merged['id']}/undo")
    assert csr_api.get(f"{URL}/{candidate.pk}").json()["state"] == "open"


def test_contact_that_is_not_of_the_pair_is_refused(csr_api, candidate):
    response = csr_api.post(f"{URL}/{candidate.pk}/merge", {"kept": 10**9})
    assert (response.status_code, code_of(response)) == (400, "other_contact")
    assert Contact._base_manager.count() == 2


def test_dismissed_twice_is_refused(csr_api, candidate):
    assert csr_api.post(f"{URL}/{candidate.pk}/dismiss").json()["state"] == "not_the_same"
    again = csr_api.post(f"{URL}/{candidate.pk}/dismiss")
    assert (again.status_code, code_of(again)) == (409, "duplicate_decided")


def test_manager_asks_for_a_search(manager_api, csr_api, acme):
    Company.objects.update(duplicates_run_at="2100-01-01T00:00:00Z")
    assert manager_api.post(f"{URL}/search").status_code == 202
    assert Company.objects.filter(pk=acme.pk, duplicates_run_at__year__lt=2100).exists()
    assert csr_api.post(f"{URL}/search").status_code == 403
