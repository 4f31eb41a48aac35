"""A contact's timeline."""

from datetime import UTC, datetime, timedelta

import pytest

from crm.api.base.pagination import cursor_signer, encode_cursor
from tests import factories
from tests.count_queries import CountQueries
from tests.errors import errors_of

START = datetime(2026, 3, 2, 16, tzinfo=UTC)


def at(hours):
    return START + timedelta(hours=hours)


@pytest.fixture
def contact(acme):
    return factories.ContactFactory(company=acme)


@pytest.fixture
def story(contact, csr):
    """Rows of every source, one an hour, for the contact and for another one."""
    other = factories.ContactFactory(company=contact.company)
    for person in (other, contact):
        of = {"contact": person}
        reported = factories.ActivityFactory(
            activity_type="call", direction="incoming", user=csr, created_at=at(1), **of
        )
        call = factories.CallFactory(activity=reported, status="unbooked", duration_s=90, created_at=at(1), **of)
        factories.CallDetailFactory(call=call, summary="Wants a roof.", next_steps=["Call back."])
        note = factories.ActivityFactory(body="Has a dog.", user=csr, created_at=at(2), **of)
        voice = factories.ActivityFactory(
            activity_type="voicemail", direction="incoming", body="Call me.", created_at=at(3), **of
        )
        mail = factories.ActivityFactory(activity_type="email", direction="outgoing", created_at=at(4), **of)
        text = factories.MessageFactory(created_at=at(5), activity__created_at=at(5), media=[{"url": "u"}], **of)
        unreported = factories.CallFactory(status="missed", created_at=at(6), **of)
        flag = factories.ContactFlagFactory(created_at=at(7), reason="Asked us to.", **of)
        sent = factories.CampaignMembershipFactory(sent_at=at(8), status="sent", **of)
        factories.CampaignMembershipFactory(status="pending", **of)
        appointment = factories.AppointmentFactory(scheduled_start=at(9), **of)
    return [
        ("appointment", appointment), ("campaign_send", sent), ("flag", flag), ("call", unreported), ("message", text),
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


def test_timeline_lists_every_source_latest_first(csr_api, contact, story):
    page = csr_api.get(url(contact)).json()
    assert keys(page) == [(kind, row.pk) for kind, row in story]
    assert [entry["at"] for entry in page["results"]] == [f"{at(9 - n):%Y-%m-%dT%H:%M:%SZ}" for n in range(9)]
    assert (page["next"], page["previous"]) == (None, None)


def test_entry_has_the_fields_of_its_kind(csr_api, csr, contact, story):
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


def test_entry_names_its_user_line_and_campaign(csr_api, csr, contact):
    line = factories.PhoneLineFactory(company=contact.company, name="Front desk")
    membership = factories.CampaignMembershipFactory(
        contact=contact, sent_at=at(1), status="sent", campaign__name="Spring check"
    )
    factories.MessageFactory(
        contact=contact, phone_line=line, membership=membership, activity__user=csr, activity__created_at=at(5)
    )
    factories.ContactFlagFactory(contact=contact, created_by=csr, created_at=at(4))
    factories.AppointmentFactory(contact=contact, assigned_rep=csr, scheduled_start=at(3))
    with CountQueries() as queries:
        message, flag, appointment = csr_api.get(url(contact)).json()["results"]
    names = message["user_name"], flag["created_by_name"], appointment["assigned_rep_name"]
    assert names == ("carla", "carla", "carla")
    assert (message["phone_line_name"], message["campaign_name"]) == ("Front desk", "Spring check")
    assert len(queries) == 9  # the contact, five sources, users, lines and campaigns


def test_campaign_message_in_a_conversation_is_listed_once(csr_api, contact):
    membership = factories.CampaignMembershipFactory(contact=contact, sent_at=at(1), status="sent")
    text = factories.MessageFactory(
        contact=contact, direction="outgoing", kind="campaign", status="sent", membership=membership
    )
    (entry,) = csr_api.get(url(contact)).json()["results"]
    assert (entry["kind"], entry["id"], entry["campaign"]) == ("message", text.pk, membership.campaign_id)


@pytest.mark.slow
@pytest.mark.parametrize("limit", [1, 2, 4])
def test_pages_hold_each_entry_once_in_both_directions(csr_api, contact, story, limit):
    pages = walk(csr_api, f"{url(contact)}?limit={limit}", "next")
    assert [key for page in pages for key in keys(page)] == [(kind, row.pk) for kind, row in story]
    back = walk(csr_api, pages[-1]["previous"], "previous")
    assert [keys(page) for page in reversed(back)] == [keys(page) for page in pages[:-1]]


def test_simultaneous_entries_are_listed_once_across_pages(csr_api, contact):
    for _ in range(3):
        factories.ActivityFactory(contact=contact, created_at=START)
        factories.CampaignMembershipFactory(contact=contact, sent_at=START)
        factories.AppointmentFactory(contact=contact, scheduled_start=START)
        factories.CallFactory(contact=contact, created_at=START)
    listed = [key for page in walk(csr_api, f"{url(contact)}?limit=2", "next") for key in keys(page)]
    assert len(listed) == len(set(listed)) == 12


def test_page_runs_the_same_statements_for_any_number_of_entries(csr_api, contact, story):
    costs = []
    for more in (0, 5):
        factories.MessageFactory.create_batch(more, contact=contact)
        factories.CallFactory.create_batch(more, contact=contact)
        with CountQueries() as queries:
            csr_api.get(url(contact), {"limit": 5})
        costs.append(len(queries))
    assert costs == [6, 6]  # the contact, and one for each source: nobody and no line is named


def test_timeline_of_another_company_s_contact_is_not_found(outsider_api, contact, story):
    assert outsider_api.get(url(contact)).status_code == 404


def test_rep_sees_timelines_of_assigned_contacts_only(rep_api, rep, contact, acme):
    factories.CallFactory(contact=contact, assigned_rep=rep)
    assert rep_api.get(url(contact)).status_code == 200
    assert rep_api.get(url(factories.ContactFactory(company=acme))).status_code == 404


@pytest.fixture
def of_the_rep(rep, contact):
    """A call with and one without a report, and an appointment, of the rep."""
    activity = factories.ActivityFactory(contact=contact, activity_type="call", direction="incoming", created_at=at(20))
    return {
        ("call", factories.CallFactory(contact=contact, activity=activity, assigned_rep=rep, created_at=at(20)).pk),
        ("call", factories.CallFactory(contact=contact, assigned_rep=rep, created_at=at(21)).pk),
        ("appointment", factories.AppointmentFactory(contact=contact, assigned_rep=rep, scheduled_start=at(22)).pk),
    }


def test_rep_sees_in_a_timeline_what_the_lists_show(rep_api, contact, story, of_the_rep):
    entries = set(keys(rep_api.get(url(contact)).json()))
    assert of_the_rep <= entries
    for kind, route in [("call", "calls"), ("appointment", "appointments"), ("flag", "contact-flags")]:
        listed = {row["id"] for row in rep_api.get(f"/api/v1/{route}?contact={contact.pk}").json()["results"]}
        assert {pk for name, pk in entries if name == kind} == listed
    # The voicemail is another rep's.
    assert {name for name, _ in entries} == {"call", "appointment", "flag", "message", "email", "note"}


def test_rep_sees_activities_of_own_calls_only(rep_api, csr_api, contact, story, of_the_rep):
    def activities(api):
        listed = api.get(f"/api/v1/activities?contact={contact.pk}").json()["results"]
        return [row["id"] for row in listed if row["activity_type"] == "call"]

    [own] = activities(rep_api)
    both = activities(csr_api)
    assert own in both
    assert len(both) == 2
    [hidden] = set(both) - {own}
    assert rep_api.get(f"/api/v1/activities/{hidden}").status_code == 404
    assert rep_api.get(f"/api/v1/activities/{own}").status_code == 200


def test_page_of_a_rep_runs_the_same_number_of_statements(rep_api, contact, story, of_the_rep):
    with CountQueries() as queries:
        rep_api.get(url(contact), {"limit": 5})
    assert len(queries) <= 7  # those, and the names of users


@pytest.mark.parametrize("query", ["cursor=xyz", "cursor=bnVsbA", "cursor=WzFd", "limit=0", "offset=1", "count=1"])
def test_unknown_parameter_or_cursor_is_rejected_by_name(csr_api, contact, query):
    response = csr_api.get(f"{url(contact)}?{query}")
    assert (response.status_code, list(errors_of(response))) == (400, [query.partition("=")[0]])


@pytest.mark.parametrize(
    ("time", "status"),
    [
        ("2026-03-02T16:00:00", 400),
        ("0001-01-01T00:00:00+14:00", 400),
        ("9999-12-31T23:59:59-14:00", 400),
        ("0001-01-01T00:00:00Z", 400),
        ("9999-12-31T23:59:59Z", 400),
        ("1970-01-01T00:00:00Z", 200),
        ("2100-12-31T00:00:00Z", 200),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_forged_cursor_of_any_year_never_fails(csr, csr_api, contact, time, status, backwards):
    cursor = cursor_signer(csr, url(contact)).sign(encode_cursor([backwards, time, "call", 1]))
    assert csr_api.get(url(contact), {"cursor": cursor}).status_code == status


def test_cursor_of_another_list_is_rejected(csr_api, contact):
    factories.ContactFactory.create_batch(2, company=contact.company)
    cursor = csr_api.get("/api/v1/contacts", {"limit": 1}).json()["next"].partition("cursor=")[2]
    assert list(errors_of(csr_api.get(f"{url(contact)}?cursor={cursor}"))) == ["cursor"]
