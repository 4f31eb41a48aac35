"""All that happened with a contact, in one list."""

from datetime import UTC, datetime, timedelta

import pytest

from tests import factories
from tests.count_queries import CountQueries

START = datetime(2026, 3, 2, 16, tzinfo=UTC)


def at(hours):
    return START + timedelta(hours=hours)


@pytest.fixture
def contact(acme):
    return factories.ContactFactory(company=acme)


@pytest.fixture
def story(contact, csr):
    """One of everything, each an hour after the other, and a stranger's as well."""
    stranger = factories.ContactFactory(company=contact.company)
    for person in (stranger, contact):
        of = {"contact": person}
        rung = factories.ActivityFactory(activity_type="call", direction="incoming", user=csr, created_at=at(1), **of)
        call = factories.CallFactory(activity=rung, status="unbooked", duration_s=90, created_at=at(1), **of)
        factories.CallDetailFactory(call=call, summary="Wants a roof.", next_steps=["Call back."])
        note = factories.ActivityFactory(body="Has a dog.", user=csr, created_at=at(2), **of)
        voice = factories.ActivityFactory(
            activity_type="voicemail", direction="incoming", body="Call me.", created_at=at(3), **of
        )
        mail = factories.ActivityFactory(activity_type="email", direction="outgoing", created_at=at(4), **of)
        text = factories.MessageFactory(created_at=at(5), activity__created_at=at(5), media=[{"url": "u"}], **of)
        untold = factories.CallFactory(status="missed", created_at=at(6), **of)
        flag = factories.ContactFlagFactory(created_at=at(7), reason="Asked us to.", **of)
        sent = factories.CampaignMembershipFactory(sent_at=at(8), status="sent", **of)
        factories.CampaignMembershipFactory(status="pending", **of)
        visit = factories.AppointmentFactory(scheduled_start=at(9), **of)
    return [
        ("appointment", visit), ("campaign_send", sent), ("flag", flag), ("call", untold), ("message", text),
        ("email", mail), ("voicemail", voice), ("note", note), ("call", call),
    ]  # fmt: skip


def url(contact):
    return f"/api/v1/contacts/{contact.pk}/timeline"


def keys(page):
    return [(entry["kind"], entry["id"]) for entry in page["results"]]


def walk(api, start, link):
    pages, following = [], start
    while following:
        pages.append(api.get(following).json())
        following = pages[-1][link]
    return pages


def test_everything_of_the_contact_is_there_the_latest_first(csr_api, contact, story):
    page = csr_api.get(url(contact)).json()
    assert keys(page) == [(kind, row.pk) for kind, row in story]
    assert [entry["at"] for entry in page["results"]] == [f"{at(9 - n):%Y-%m-%dT%H:%M:%SZ}" for n in range(9)]
    assert (page["next"], page["previous"]) == (None, None)


def test_each_entry_shows_what_its_kind_has(csr_api, csr, contact, story):
    entries = csr_api.get(url(contact)).json()["results"]
    call = entries[-1]
    assert (call["status"], call["duration_s"], call["user"]) == ("unbooked", 90, csr.pk)
    assert (call["summary"], call["next_steps"]) == ("Wants a roof.", ["Call back."])
    text = entries[4]
    assert (text["body"], text["direction"], text["status"]) == ("Can you come on Tuesday?", "incoming", "received")
    assert text["media"] == [{"url": "u"}]
    assert (entries[6]["body"], entries[7]["body"]) == ("Call me.", "Has a dog.")
    assert (entries[2]["flag_type"], entries[2]["reason"]) == ("do_not_contact", "Asked us to.")
    assert entries[1]["name"].startswith("Spring check")
    assert entries[0]["status"] == "scheduled"


def test_a_campaign_s_text_in_the_thread_is_told_once(csr_api, contact):
    membership = factories.CampaignMembershipFactory(contact=contact, sent_at=at(1), status="sent")
    text = factories.MessageFactory(
        contact=contact, direction="outgoing", kind="campaign", status="sent", membership=membership
    )
    (entry,) = csr_api.get(url(contact)).json()["results"]
    assert (entry["kind"], entry["id"], entry["campaign"]) == ("message", text.pk, membership.campaign_id)


@pytest.mark.parametrize("limit", [1, 2, 4])
def test_pages_hold_everything_once_and_lead_back(csr_api, contact, story, limit):
    pages = walk(csr_api, f"{url(contact)}?limit={limit}", "next")
    assert [key for page in pages for key in keys(page)] == [(kind, row.pk) for kind, row in story]
    back = walk(csr_api, pages[-1]["previous"], "previous")
    assert [keys(page) for page in reversed(back)] == [keys(page) for page in pages[:-1]]


def test_what_happened_at_the_same_instant_is_told_once_on_every_page(csr_api, contact):
    for _ in range(3):
        factories.ActivityFactory(contact=contact, created_at=START)
        factories.CampaignMembershipFactory(contact=contact, sent_at=START)
        factories.AppointmentFactory(contact=contact, scheduled_start=START)
        factories.CallFactory(contact=contact, created_at=START)
    walked = [key for page in walk(csr_api, f"{url(contact)}?limit=2", "next") for key in keys(page)]
    assert len(walked) == len(set(walked)) == 12


def test_a_page_costs_the_same_however_much_there_is(csr_api, contact, story):
    costs = []
    for more in (0, 5):
        factories.MessageFactory.create_batch(more, contact=contact)
        factories.CallFactory.create_batch(more, contact=contact)
        with CountQueries() as queries:
            csr_api.get(url(contact), {"limit": 5})
        costs.append(len(queries))
    assert costs == [6, 6]  # the contact, and one for each source


def test_another_company_s_contact_has_none_here(outsider_api, contact, story):
    assert outsider_api.get(url(contact)).status_code == 404


def test_a_rep_sees_that_of_their_own_contacts(rep_api, rep, contact, acme):
    factories.CallFactory(contact=contact, assigned_rep=rep)
    assert rep_api.get(url(contact)).status_code == 200
    assert rep_api.get(url(factories.ContactFactory(company=acme))).status_code == 404


@pytest.mark.parametrize("query", ["cursor=xyz", "cursor=bnVsbA", "cursor=WzFd", "limit=0", "offset=1", "count=1"])
def test_a_parameter_that_it_does_not_take_is_named(csr_api, contact, query):
    response = csr_api.get(f"{url(contact)}?{query}")
    assert (response.status_code, list(response.json())) == (400, [query.partition("=")[0]])


def test_a_cursor_of_another_list_is_none_here(csr_api, contact):
    factories.ContactFactory.create_batch(2, company=contact.company)
    cursor = csr_api.get("/api/v1/contacts", {"limit": 1}).json()["next"].partition("cursor=")[2]
    assert list(csr_api.get(f"{url(contact)}?cursor={cursor}").json()) == ["cursor"]
