"""Notes of contacts."""

import pytest

from crm.models import Activity
from tests.conftest import signed_in
from tests.errors import code_of, codes_of
from tests.factories import ActivityFactory, ContactFactory, UserFactory

URL = "/api/v1/activities"


@pytest.fixture
def note(acme, csr):
    return ActivityFactory(contact__company=acme, user=csr, body="Has a dog.")


def text_of(note):
    return Activity.objects.filter(pk=note.pk).values_list("body", flat=True).first()


@pytest.fixture
def colleague(acme):
    return signed_in(UserFactory(company=acme, role="csr"))


def test_author_changes_and_deletes_a_note(csr_api, note, in_acme):
    url = f"{URL}/{note.pk}"
    read = csr_api.get(url)
    changed = csr_api.patch(url, {"body": "Has a cat."}, headers={"If-Match": read["ETag"]})
    assert (changed.status_code, changed.json()["body"], text_of(note)) == (200, "Has a cat.", "Has a cat.")
    stale = csr_api.delete(url, headers={"If-Match": read["ETag"]})
    assert (code_of(stale), stale.json()["current"]["body"]) == ("stale", "Has a cat.")
    assert csr_api.delete(url, headers={"If-Match": changed["ETag"]}).status_code == 204
    assert text_of(note) is None


def test_note_of_another_author_stays(colleague, note, in_acme):
    for answer in (colleague.patch(f"{URL}/{note.pk}", {"body": "No."}), colleague.delete(f"{URL}/{note.pk}")):
        assert (answer.status_code, code_of(answer)) == (403, "not_yours")
    assert text_of(note) == "Has a dog."


def test_manager_deletes_a_note_but_puts_no_words_into_its_authors_mouth(manager_api, note, in_acme):
    assert code_of(manager_api.patch(f"{URL}/{note.pk}", {"body": "No."})) == "not_yours"
    assert text_of(note) == "Has a dog."
    assert manager_api.delete(f"{URL}/{note.pk}").status_code == 204
    assert text_of(note) is None


@pytest.mark.parametrize("activity_type", ["message", "call", "voicemail", "email"])
def test_other_activity_stays(activity_type, csr, csr_api, in_acme):
    """It shows what happened."""
    row = ActivityFactory(contact__company=in_acme, user=csr, activity_type=activity_type, direction="outgoing")
    for answer in (csr_api.patch(f"{URL}/{row.pk}", {"body": "No."}), csr_api.delete(f"{URL}/{row.pk}")):
        assert (answer.status_code, code_of(answer)) == (409, "not_a_note")
    assert text_of(row) == "Has a dog."


def test_note_stays_with_its_contact(csr_api, note, acme):
    other = ContactFactory(company=acme)
    assert codes_of(csr_api.patch(f"{URL}/{note.pk}", {"contact": other.pk})) == {"contact": ["fixed"]}
    assert codes_of(csr_api.patch(f"{URL}/{note.pk}", {"body": " "})) == {"body": ["blank"]}


def test_rep_reaches_no_note_of_other_contacts(rep_api, note, in_acme):
    assert rep_api.delete(f"{URL}/{note.pk}").status_code == 404
    assert text_of(note) == "Has a dog."
