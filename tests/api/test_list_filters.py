"""Filters and orders of lists: those that every list has, and those that a screen needs."""

from datetime import UTC, date, datetime, timedelta

import pytest

from crm.form_fields import MAX_IDS
from tests.api.resources import RESOURCES
from tests.api.test_every_list import ids, make_row
from tests.factories import (
    CallFactory,
    ContactFactory,
    ContactPhoneFactory,
    ConversationFactory,
    InvoiceFactory,
    LeadFactory,
    MessageFactory,
    OptOutFactory,
    PhoneLineFactory,
    UserFactory,
)

every_resource = pytest.mark.parametrize("resource", RESOURCES, ids=str)
every_list_by_time = pytest.mark.parametrize("resource", [each for each in RESOURCES if each.by_time], ids=str)
NOON = datetime(2026, 3, 2, 19, tzinfo=UTC)  # in Denver


@every_resource
def test_ids_choose_rows_of_the_company(resource, manager_api, acme, globex):
    first, second, foreign = (make_row(resource, company) for company in (acme, acme, globex))
    assert ids(manager_api.get(f"{resource.url}?ids={first.pk},{foreign.pk}")) == {first.pk}
    assert {first.pk, second.pk} <= ids(manager_api.get(f"{resource.url}?ids={first.pk},{second.pk}"))


@pytest.mark.parametrize("typed", ["1,", ",1", "one", "1;2", "-1", "1 2", ",".join(["1"] * (MAX_IDS + 1))])
def test_invalid_ids_are_named(typed, manager_api):
    response = manager_api.get("/api/v1/calls", {"ids": typed})
    assert response.status_code == 400
    assert f"at most {MAX_IDS}" in str(response.json())


@every_list_by_time
def test_each_order_has_the_rows_of_the_others_and_ends_in_the_id(resource, manager_api, acme):
    for _ in range(3):
        make_row(resource, acme)
    listed = {order: manager_api.get(f"{resource.url}?order={order}").json()["results"] for order in orders(resource)}
    assert len(listed) > 1
    newest = [row["id"] for row in listed["newest"]]
    assert [row["id"] for row in listed["oldest"]] == newest[::-1]
    assert {order: sorted(row["id"] for row in rows) for order, rows in listed.items()} == dict.fromkeys(
        listed, sorted(newest)
    )


@every_resource
def test_cursors_of_each_order_reach_every_row_once(resource, manager_api, acme):
    made = {make_row(resource, acme).pk for _ in range(3)}
    for order in orders(resource):
        found, url = [], f"{resource.url}?limit=1&order={order}"
        while url:
            page = manager_api.get(url).json()
            found += [row["id"] for row in page["results"]]
            url = page["next"]
        assert len(found) == len(set(found))
        assert made <= set(found)


def orders(resource):
    from tests.api.response_schema import document

    parameters = document()["paths"][resource.url]["get"]["parameters"]
    return next(each["schema"]["enum"] for each in parameters if each["name"] == "order")


@every_list_by_time
def test_unknown_order_is_answered_with_the_known_ones(resource, manager_api):
    response = manager_api.get(f"{resource.url}?order=by_magic")
    assert response.status_code == 400
    assert "newest, oldest" in str(response.json())


@every_resource
def test_days_choose_rows_by_the_time_of_the_list(resource, manager_api, acme):
    make_row(resource, acme)
    for query, found in (
        ("start_date=1990-01-01&end_date=1990-12-31", False),
        ("start_date=1990-01-01&end_date=2100-12-31", True),
    ):
        assert bool(ids(manager_api.get(f"{resource.url}?{query}"))) == found
    assert manager_api.get(f"{resource.url}?start_date=2026-03-02&end_date=2026-03-01").status_code == 400


def test_days_are_the_companys_own(manager_api, acme):
    acme.timezone = "America/Denver"
    acme.save()
    evening = ConversationFactory(contact__company=acme, last_activity_at=NOON + timedelta(hours=10))  # 22:00
    ConversationFactory(contact__company=acme, last_activity_at=NOON + timedelta(hours=13))
    assert ids(manager_api.get("/api/v1/conversations?start_date=2026-03-02&end_date=2026-03-02")) == {evening.pk}


def test_repeated_status_chooses_rows_of_any(manager_api, acme):
    rows = {status: LeadFactory(contact__company=acme, status=status) for status in ("new", "contacted", "lost")}
    found = ids(manager_api.get("/api/v1/leads?status=new&status=lost"))
    assert found == {rows["new"].pk, rows["lost"].pk}
    response = manager_api.get("/api/v1/leads?status=new&status=nonsense")
    assert response.status_code == 400
    assert "status" in str(response.json())


@pytest.mark.parametrize("resource", [each for each in RESOURCES if each.has_contact], ids=str)
def test_rows_of_several_contacts_are_one_list(resource, manager_api, acme):
    contacts = [ContactFactory(company=acme) for _ in range(3)]
    rows = [make_row(resource, acme, contact=contact).pk for contact in contacts]
    assert ids(manager_api.get(f"{resource.url}?contact={contacts[0].pk}&contact={contacts[2].pk}")) == {
        rows[0],
        rows[2],
    }


def test_opt_outs_of_several_contacts_are_one_list(manager_api, acme):
    contacts = [ContactFactory(company=acme) for _ in range(3)]
    rows = [OptOutFactory(company=acme, phone=contact.phone).pk for contact in contacts]
    assert ids(manager_api.get(f"/api/v1/opt-outs?contact={contacts[0].pk}&contact={contacts[2].pk}")) == {
        rows[0],
        rows[2],
    }


def test_opt_outs_are_found_by_the_name_or_number_of_the_contact(manager_api, acme, globex):
    ann = ContactFactory(company=acme, first_name="Ann", last_name="Miller")
    found = {OptOutFactory(company=acme, phone=ann.phone).pk}
    OptOutFactory(company=acme)
    OptOutFactory(company=globex, phone=ann.phone)
    for search in ("mil", ann.phone, ann.phone[-7:]):
        assert ids(manager_api.get("/api/v1/opt-outs", {"search": search})) == found
    assert ids(manager_api.get("/api/v1/opt-outs?search=nobody")) == set()


def test_every_parameter_with_an_id_or_a_choice_is_repeatable():
    from tests.api.response_schema import document

    single = {
        "limit", "offset", "cursor", "count", "order", "ids", "search", "number", "phone", "date", "format",
        "resource", "series", "source",
    }  # fmt: skip
    for path, methods in document()["paths"].items():
        parameters = methods["get"].get("parameters", ()) if "get" in methods else ()
        kinds = {each["name"]: each["schema"].get("type") for each in parameters if each["in"] == "query"}
        if "order" in kinds:
            others = {name for name, kind in kinds.items() if kind not in ("array", "boolean")}
            assert {name for name in others - single if not name.endswith(("_date", "_from", "_until"))} == set(), path


@pytest.fixture
def inbox(acme, csr):
    colleague = UserFactory(company=acme, role="csr")
    return {
        name: ConversationFactory(contact__company=acme, assignee=user).pk
        for name, user in (("mine", csr), ("hers", colleague), ("unassigned", None))
    } | {"colleague": colleague.pk}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("assignee=me", {"mine"}),
        ("assignee=none", {"unassigned"}),
        ("assignee=me&assignee=none", {"mine", "unassigned"}),
        ("assignee={colleague}", {"hers"}),
        ("assignee={colleague}&assignee=me", {"hers", "mine"}),
        ("assignee=999999999", set()),
    ],
)
def test_assignee_is_me_none_or_a_colleague(query, found, inbox, csr_api):
    assert ids(csr_api.get("/api/v1/conversations?" + query.format(**inbox))) == {inbox[name] for name in found}


@pytest.mark.parametrize(
    ("route", "query"),
    [
        ("conversations", "assignee=you"),
        ("conversations", "assignee=0"),
        ("conversations", "assignee=1_0"),
        ("conversations", "phone_line=none"),
        ("calls", "lead=me"),
        ("calls", f"assigned_rep={'9' * 19}"),
        ("calls", "direction=sideways"),
        ("calls", "booked=maybe"),
        ("calls", "number=soon"),
        ("calls", "search=x"),
    ],
)
def test_invalid_value_of_a_filter_is_named(route, query, manager_api):
    response = manager_api.get(f"/api/v1/{route}?{query}")
    assert response.status_code == 400
    assert query.partition("=")[0] in str(response.json())


def test_calls_are_found_by_what_a_screen_filters(manager_api, acme):
    line = PhoneLineFactory(company=acme)
    ann = ContactFactory(company=acme, first_name="Ann", last_name="Miller")
    lead = LeadFactory(contact=ann)
    plain = CallFactory(contact=ann, status="unbooked").pk
    booked = CallFactory(contact=ann, lead=lead, status="purchased", booked=True).pk
    outgoing = CallFactory(contact__company=acme, direction="outgoing", status="unbooked", phone_line=line).pk
    for query, found in {
        "booked=true": {booked},
        "booked=false": {plain, outgoing},
        "lead=none": {plain, outgoing},
        f"lead={lead.pk}": {booked},
        "direction=outgoing": {outgoing},
        "direction=outgoing&direction=incoming": {plain, booked, outgoing},
        f"phone_line={line.pk}": {outgoing},
        "search=mil": {plain, booked},
        "search=ann&booked=true": {booked},
        "search=nobody": set(),
    }.items():
        for route in ("calls", "dashboard/calls"):
            assert ids(manager_api.get(f"/api/v1/{route}?{query}")) == found, query


@pytest.mark.parametrize("typed", ["%2B12125550177", "(212) 555-0177", "212.555.0177", "tel:2125550177"])
def test_calls_are_found_by_any_spelling_of_the_number(typed, manager_api, acme, globex):
    ann = ContactFactory(company=acme, phone="+12125550176")
    ContactPhoneFactory(contact=ann, phone="+12125550177")
    CallFactory(contact=ann, from_number=ann.phone)
    CallFactory(contact__company=globex, from_number="+12125550177")
    found = {
        CallFactory(contact=ann, from_number="+12125550177").pk,
        CallFactory(company=acme, contact=None, from_number="+12125550177").pk,
        CallFactory(company=acme, contact=None, direction="outgoing", status="unbooked", to_number="+12125550177").pk,
    }
    assert ids(manager_api.get(f"/api/v1/calls?number={typed}")) == found


def test_rep_finds_only_own_calls_by_number(acme, rep):
    from tests.conftest import signed_in

    ann = ContactFactory(company=acme)
    own = CallFactory(contact=ann, from_number=ann.phone, assigned_rep=rep)
    CallFactory(contact=ann, from_number=ann.phone)
    assert ids(signed_in(rep).get("/api/v1/calls", {"number": ann.phone})) == {own.pk}
    assert ids(signed_in(rep).get("/api/v1/calls?assigned_rep=me")) == {own.pk}


def test_inbox_is_ordered_by_the_latest_activity_or_the_longest_wait(manager_api, acme):
    old, new = (
        ConversationFactory(contact__company=acme, last_activity_at=NOON + timedelta(hours=hours)).pk
        for hours in (0, 1)
    )
    for order, rows in {"recent": [new, old], "waiting": [old, new]}.items():
        listed = manager_api.get(f"/api/v1/conversations?order={order}").json()["results"]
        assert [row["id"] for row in listed] == rows


def test_invoices_are_ordered_and_chosen_by_their_due_date(manager_api, acme):
    days = [date(2026, 3, day) for day in (3, 1, 2, 2)]
    rows = [InvoiceFactory(contact__company=acme, due_date=day).pk for day in days]
    page = manager_api.get("/api/v1/invoices?order=due&limit=2").json()
    listed = page["results"] + manager_api.get(page["next"]).json()["results"]
    assert [row["id"] for row in listed] == [rows[1], rows[2], rows[3], rows[0]]
    assert ids(manager_api.get("/api/v1/invoices?due_from=2026-03-02&due_until=2026-03-02")) == {rows[2], rows[3]}


def test_messages_of_a_thread_are_chosen_by_status_and_direction(manager_api, acme):
    contact = ContactFactory(company=acme)
    received = MessageFactory(contact=contact, direction="incoming", status="received").pk
    failed = MessageFactory(contact=contact, direction="outgoing", status="failed").pk
    url = f"/api/v1/message-threads/{contact.pk}"
    assert ids(manager_api.get(f"{url}?direction=incoming")) == {received}
    assert ids(manager_api.get(f"{url}?status=failed&status=undelivered")) == {failed}
