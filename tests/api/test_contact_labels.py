"""Tags, custom fields and static lists in the API."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from crm.db.tenancy import tenant
from crm.models import ContactFieldValue, ContactTag, Tag
from crm.services.contact_fields import remove_expired_fields, set_field_values
from crm.services.tags import add_tags, delete_tag, replace_tags, tag_contacts
from tests import factories
from tests.api.feed import Client
from tests.count_queries import CountQueries
from tests.errors import errors_of

CONTACTS, FIELDS, TAGS, LISTS = (f"/api/v1/{name}" for name in ("contacts", "contact-fields", "tags", "contact-lists"))
ROOF_TYPES = ["Shingle", "Metal"]


@pytest.fixture
def contact(acme):
    return factories.ContactFactory(company=acme)


@pytest.fixture
def url(contact):
    return f"{CONTACTS}/{contact.pk}"


@pytest.fixture
def fields(acme):
    """A custom field of each type, whose key is the type."""
    return {
        kind: factories.ContactFieldFactory(
            company=acme, key=kind, label=f"A {kind}", field_type=kind, options=ROOF_TYPES if kind == "choice" else []
        )
        for kind in ("text", "number", "date", "yes_no", "choice")
    }


WHOLE = {"text": "#1234", "number": 12.5, "date": "1998-05-04", "yes_no": False, "choice": "Metal"}


def ids(response):
    assert response.status_code == 200, response.content
    return {row["id"] for row in response.json()["results"]}


# --- On a contact -----------------------------------------------------------------------------------------------------


def test_tags_are_replaced_and_new_names_make_new_tags(csr_api, url, acme):
    factories.TagFactory(company=acme, name="VIP")
    assert csr_api.patch(url, {"tags": ["vip", " Storm  damage "]}).json()["tags"] == ["Storm damage", "VIP"]
    assert csr_api.patch(url, {"tags": ["Referral", "VIP"]}).json()["tags"] == ["Referral", "VIP"]
    assert csr_api.patch(url, {"city": "Denver"}).json()["tags"] == ["Referral", "VIP"]
    with tenant(acme.pk):
        assert Tag.objects.count() == 3


def test_values_are_merged_by_key_and_null_removes(csr_api, url, fields):
    assert csr_api.patch(url, {"fields": WHOLE}).json()["fields"] == WHOLE
    changed = csr_api.patch(url, {"fields": {"number": 12, "text": None}}).json()["fields"]
    assert changed == {**{key: WHOLE[key] for key in ("date", "yes_no", "choice")}, "number": 12}
    assert csr_api.get(url).json()["fields"] == changed


def test_new_contact_gets_its_tags_and_values(csr_api, fields):
    body = {"phone": "+12125550123", "tags": ["VIP"], "fields": {"choice": "metal"}}
    created = csr_api.post(CONTACTS, body).json()
    assert (created["tags"], created["fields"]) == (["VIP"], {"choice": "Metal"})
    assert csr_api.get(f"{CONTACTS}/{created['id']}").json() == created


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"tags": "VIP"}, "tags"), ({"tags": [5]}, "tags"), ({"tags": [""]}, "tags"), ({"tags": ["x" * 51]}, "tags"),
        ({"tags": ["a\x00"]}, "tags"), ({"tags": None}, "tags"), ({"tags": ["a, b"]}, "tags"),
        ({"tags": ["x"] * 101}, "tags"),
        ({"fields": []}, "fields"), ({"fields": None}, "fields"), ({"fields": {"colour": "red"}}, "fields.colour"),
        ({"fields": {"text": 5}}, "fields.text"), ({"fields": {"text": "x" * 501}}, "fields.text"),
        ({"fields": {"number": "12"}}, "fields.number"), ({"fields": {"number": True}}, "fields.number"),
        ({"fields": {"date": "5/4/1998"}}, "fields.date"), ({"fields": {"yes_no": "yes"}}, "fields.yes_no"),
        ({"fields": {"choice": "Tile"}}, "fields.choice"),
    ],
)  # fmt: skip
def test_invalid_tag_or_value_is_named_and_nothing_is_written(body, named, csr_api, url, fields):
    before = csr_api.get(url).json()
    response = csr_api.patch(url, {"city": "Denver", **body})
    assert (response.status_code, list(errors_of(response))) == (400, [named])
    assert csr_api.get(url).json() == before


def test_tags_and_values_are_guarded_by_if_match(csr_api, url, fields):
    old = csr_api.get(url)["ETag"]
    fresh = csr_api.patch(url, {"tags": ["VIP"]}, headers={"If-Match": old})
    assert fresh.status_code == 200
    assert csr_api.patch(url, {"fields": {"number": 1}}, headers={"If-Match": old}).status_code == 412
    again = csr_api.patch(url, {"fields": {"number": 1}}, headers={"If-Match": fresh["ETag"]})
    assert again.status_code == 200
    assert csr_api.get(url, headers={"If-None-Match": again["ETag"]}).status_code == 304


@pytest.mark.django_db(transaction=True)  # the feed has what is committed
@pytest.mark.parametrize(
    "change",
    [
        lambda contact: add_tags(company_id=contact.company_id, contact_ids=[contact.pk], names=["New"]),
        lambda contact: replace_tags(contact=contact, names=[]),
        lambda contact: delete_tag(tag=Tag.objects.get(name="VIP"), confirmed=True),
        lambda contact: set_field_values(company_id=contact.company_id, values={contact.pk: {"number": 2.0}}),
        lambda contact: set_field_values(company_id=contact.company_id, values={contact.pk: {"number": None}}),
    ],
)
def test_change_of_labels_is_seen_by_its_etag_and_in_the_feed(change, csr, csr_api, contact, url, fields):
    csr_api.patch(url, {"tags": ["VIP"], "fields": {"number": 1}})
    before, client = csr_api.get(url), Client(csr)
    with tenant(contact.company_id):
        change(contact)
    after = csr_api.get(url)
    assert after["ETag"] != before["ETag"]
    assert ("contacts", contact.pk, "updated") in client.poll()
    assert after.json()["updated_at"] == before.json()["updated_at"]


@pytest.mark.django_db(transaction=True)
def test_contact_on_a_list_is_a_change_of_the_list_alone(manager, manager_api, contact, url, acme):
    mailing = factories.ContactListFactory(company=acme)
    before, client = manager_api.get(url), Client(manager)
    assert manager_api.post(f"{LISTS}/{mailing.pk}/add", {"contacts": [contact.pk]}).status_code == 200
    assert manager_api.get(url)["ETag"] == before["ETag"]
    assert client.poll() == [("contact-lists", mailing.pk, "updated")]


def test_list_reads_labels_of_all_contacts_in_a_constant_number_of_queries(manager_api, acme, fields):
    def listed(count):
        for contact in factories.ContactFactory.create_batch(count, company=acme):
            factories.ContactTagFactory(contact=contact)
            factories.ContactFieldValueFactory(contact=contact, field=fields["number"])
        with CountQueries() as queries:
            rows = manager_api.get(CONTACTS).json()["results"]
        assert all(len(row["tags"]) == 1 and row["fields"] == {"number": 12} for row in rows)
        return len(queries)

    listed(1)
    assert listed(1) == listed(5)


def test_card_has_tags_and_values(csr_api, url, fields):
    csr_api.patch(url, {"tags": ["VIP"], "fields": {"number": 3}})
    card = csr_api.get(f"{url}/card").json()["contact"]
    assert (card["tags"], card["fields"]) == (["VIP"], {"number": 3})


def test_rep_reads_labels_and_cannot_write_them(rep_api, rep, acme, url, contact):
    factories.CallFactory(contact=contact, assigned_rep=rep)
    factories.ContactTagFactory(contact=contact, tag__name="VIP")
    assert rep_api.get(url).json()["tags"] == ["VIP"]
    assert rep_api.patch(url, {"tags": []}).status_code == 403


def test_labels_of_another_company_are_neither_shown_nor_used(csr_api, url, contact, globex, fields):
    theirs = factories.ContactFieldFactory(company=globex, key="secret")
    factories.ContactFieldValueFactory(contact__company=globex, field=theirs)
    factories.ContactTagFactory(contact__company=globex, tag__name="VIP")
    assert list(errors_of(csr_api.patch(url, {"fields": {"secret": 5}}))) == ["fields.secret"]
    assert csr_api.patch(url, {"tags": ["vip"]}).json()["tags"] == ["vip"]
    assert ids(csr_api.get(f"{CONTACTS}?tag=VIP")) == {contact.pk}
    assert csr_api.get(f"{CONTACTS}?field.secret=12").status_code == 400


# --- Filters ----------------------------------------------------------------------------------------------------------


def test_contacts_are_found_by_any_of_several_tags_in_any_case(csr_api, acme):
    vip, hoa, _ = (
        factories.ContactTagFactory(contact__company=acme, tag__name=name).contact_id for name in ("VIP", "HOA", "Old")
    )
    assert ids(csr_api.get(f"{CONTACTS}?tag=vip")) == {vip}
    assert ids(csr_api.get(f"{CONTACTS}?tag=vip&tag=hoa")) == {vip, hoa}
    assert ids(csr_api.get(CONTACTS, {"tag": "Größe"})) == set()


def test_contacts_are_found_by_values(csr_api, url, contact, acme, fields):
    csr_api.patch(url, {"fields": {**WHOLE, "yes_no": True}})
    other = f"{CONTACTS}/{factories.ContactFactory(company=acme).pk}"
    csr_api.patch(other, {"fields": {"number": 40, "date": "2020-01-01", "choice": "Shingle", "text": "B"}})
    for query in (
        "field.number=12.5", "field.number.gte=12&field.number.lte=13", "field.number.lte=39", "field.text=%231234",
        "field.date.lte=1999-12-31", "field.date=1998-05-04", "field.yes_no=true", "field.choice=METAL",
        "field.choice=metal&field.number.gte=1&tag=x", "field.choice=Metal&field.number=12.5&field.number=13",
    ):  # fmt: skip
        expected = set() if "tag=x" in query else {contact.pk}
        assert ids(csr_api.get(f"{CONTACTS}?{query}")) == expected, query
    assert len(ids(csr_api.get(f"{CONTACTS}?field.choice=Metal&field.choice=Shingle"))) == 2


@pytest.mark.parametrize(
    "query",
    [
        "field.number=many", "field.number.gte=", "field.number.gt=5", "field.text.gte=a", "field.colour=red",
        "field.date=today", "field.yes_no=maybe", "field.choice=Tile", "field.=1",
        "field.number.gte=1&field.number.gte=2",
    ],
)  # fmt: skip
def test_unknown_or_invalid_filter_of_a_field_is_named(query, csr_api, fields):
    response = csr_api.get(f"{CONTACTS}?{query}")
    assert (response.status_code, list(errors_of(response))) == (400, [query.partition("=")[0]])


def test_contacts_of_a_list_are_found(csr_api, acme, contact):
    listed = factories.ContactListFactory(company=acme)
    factories.ContactFactory(company=acme)
    assert csr_api.post(f"{LISTS}/{listed.pk}/add", {"contacts": [contact.pk, contact.pk]}).json() == {"added": 1}
    assert csr_api.post(f"{LISTS}/{listed.pk}/add", {"contacts": [contact.pk]}).json() == {"added": 0}
    assert ids(csr_api.get(f"{CONTACTS}?list={listed.pk}")) == {contact.pk}
    assert csr_api.get(f"{LISTS}/{listed.pk}").json()["contact_count"] == 1
    assert csr_api.post(f"{LISTS}/{listed.pk}/remove", {"contacts": [contact.pk]}).json() == {"removed": 1}
    assert ids(csr_api.get(f"{CONTACTS}?list={listed.pk}")) == set()


def test_contact_of_another_company_is_not_added(csr_api, acme, globex):
    listed, foreign = factories.ContactListFactory(company=acme), factories.ContactFactory(company=globex)
    response = csr_api.post(f"{LISTS}/{listed.pk}/add", {"contacts": [foreign.pk]})
    assert (response.status_code, list(errors_of(response))) == (400, ["contacts"])


# --- Definitions ------------------------------------------------------------------------------------------------------


def test_manager_defines_fields_and_csr_does_not(manager_api, csr_api):
    body = {"label": "Roof type", "field_type": "choice", "options": ROOF_TYPES}
    assert csr_api.post(FIELDS, body).status_code == 403
    created = manager_api.post(FIELDS, body).json()
    assert (created["key"], created["options"]) == ("roof_type", ROOF_TYPES)
    assert list(errors_of(manager_api.post(FIELDS, body))) == ["key", "label"]
    assert csr_api.get(FIELDS).json()["results"] == [created]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"label": "Phone", "field_type": "text"}, "label"),
        ({"label": "屋根", "field_type": "text"}, "key"),
        ({"label": "Roof", "field_type": "text", "key": "Roof-1"}, "key"),
        ({"label": "Roof", "field_type": "text", "options": ["a"]}, "options"),
        ({"label": "Roof", "field_type": "choice"}, "options"),
        ({"label": "Roof", "field_type": "choice", "options": ["a", " A "]}, "options"),
        ({"label": "Roof", "field_type": "money"}, "field_type"),
    ],
)
def test_invalid_definition_is_named(body, named, manager_api):
    response = manager_api.post(FIELDS, body)
    assert (response.status_code, list(errors_of(response))) == (400, [named])


def test_key_and_type_never_change(manager_api, fields):
    url = f"{FIELDS}/{fields['number'].pk}"
    response = manager_api.patch(url, {"key": "other", "field_type": "text"})
    assert (response.status_code, set(errors_of(response))) == (400, {"key", "field_type"})
    assert manager_api.patch(url, {"label": "Other", "key": "number"}).json()["label"] == "Other"


def test_option_in_use_cannot_be_removed_and_a_new_spelling_reaches_the_contacts(manager_api, url, fields):
    manager_api.patch(url, {"fields": {"choice": "Metal"}})
    field = f"{FIELDS}/{fields['choice'].pk}"
    refused = manager_api.patch(field, {"options": ["Shingle"]})
    assert (refused.status_code, refused.json()["contacts"]) == (409, 1)
    assert refused.json()["errors"][0]["code"] == "option_in_use"
    assert manager_api.patch(field, {"options": ["METAL"]}).status_code == 200
    assert manager_api.get(url).json()["fields"] == {"choice": "METAL"}


@pytest.mark.parametrize("kind", ["tags", "contact-fields", "contact-lists"])
def test_deletion_asks_with_the_number_of_contacts(kind, manager_api, acme):
    row = {
        "tags": lambda: factories.ContactTagFactory(contact__company=acme).tag,
        "contact-fields": lambda: factories.ContactFieldValueFactory(contact__company=acme).field,
        "contact-lists": lambda: factories.ContactListEntryFactory(contact__company=acme).list,
    }[kind]()
    url = f"/api/v1/{kind}/{row.pk}"
    refused = manager_api.delete(url)
    assert (refused.status_code, refused.json()["contacts"]) == (409, 1)
    assert refused.json()["errors"][0]["code"] == "confirm_needed"
    assert manager_api.delete(f"{url}?confirm=0").status_code == 409
    assert manager_api.delete(f"{url}?confirm=1").status_code == 204


def test_label_that_no_contact_has_is_deleted_without_a_question(manager_api, acme):
    for kind, factory in (("tags", factories.TagFactory), ("contact-lists", factories.ContactListFactory)):
        url = f"/api/v1/{kind}/{factory(company=acme).pk}"
        assert manager_api.delete(url).status_code == 204
        assert manager_api.get(url).status_code == 404


def test_deleted_field_is_hidden_and_comes_back_with_its_values(manager_api, csr_api, url, fields):
    field = f"{FIELDS}/{fields['number'].pk}"
    manager_api.patch(url, {"fields": {"number": 5}})
    assert manager_api.delete(f"{field}?confirm=1").status_code == 204
    assert manager_api.get(url).json()["fields"] == {}
    assert list(errors_of(manager_api.patch(url, {"fields": {"number": 6}}))) == ["fields.number"]
    assert manager_api.get(f"{CONTACTS}?field.number=5").status_code == 400
    assert fields["number"].pk not in ids(manager_api.get(FIELDS))
    assert ids(manager_api.get(f"{FIELDS}?deleted=true")) == {fields["number"].pk}
    assert csr_api.post(f"{field}/restore").status_code == 403
    assert manager_api.post(f"{field}/restore").json()["deleted_at"] is None
    assert manager_api.get(url).json()["fields"] == {"number": 5}


def test_field_is_not_restored_beside_another_one_with_its_key(manager_api, acme, fields):
    field = f"{FIELDS}/{fields['number'].pk}"
    manager_api.delete(f"{field}?confirm=1")
    manager_api.post(FIELDS, {"label": "Number", "key": "number", "field_type": "text"})
    response = manager_api.post(f"{field}/restore")
    assert (response.status_code, list(errors_of(response))) == (400, ["key"])


def test_field_is_removed_after_30_days(acme, fields, contact):
    field = fields["number"]
    factories.ContactFieldValueFactory(contact=contact, field=field)
    with tenant(acme.pk):
        for days, kept in ((29, 1), (31, 0)):
            field.deleted_at = now() - timedelta(days=days)
            field.save()
            remove_expired_fields()
            assert type(field).objects.filter(pk=field.pk).count() == kept
        assert not ContactFieldValue.objects.exists()


# --- Many contacts ----------------------------------------------------------------------------------------------------


def test_tags_of_many_contacts_are_added(in_acme):
    contacts = [contact.pk for contact in factories.ContactFactory.create_batch(3, company=in_acme)]
    assert add_tags(company_id=in_acme.pk, contact_ids=contacts[:2], names=["VIP", "vip", "HOA"]) == 2
    assert add_tags(company_id=in_acme.pk, contact_ids=contacts, names=["VIP"]) == 1
    assert tag_contacts(company_id=in_acme.pk, names={contacts[2]: ["Own"], contacts[0]: []}) == 1
    first, second, third = contacts
    assert set(ContactTag.objects.values_list("contact", "tag__name")) == {
        (first, "VIP"), (first, "HOA"), (second, "VIP"), (second, "HOA"), (third, "VIP"), (third, "Own"),
    }  # fmt: skip


def test_values_of_many_contacts_report_what_they_were_before(in_acme, fields, contact):
    other = factories.ContactFactory(company=in_acme)
    first = {contact.pk: {"number": 5.0, "text": "a"}, other.pk: {"number": 6.0}}
    assert len(set_field_values(company_id=in_acme.pk, values=first)) == 3
    second = {contact.pk: {"number": 5.0, "text": "b", "yes_no": True}, other.pk: {"number": None}}
    blanks = set_field_values(company_id=in_acme.pk, values=second, overwrite=False)
    assert [(each.key, each.before, each.after) for each in blanks] == [("yes_no", None, True)]
    changes = set_field_values(company_id=in_acme.pk, values=second)
    assert {(each.contact_id, each.key, each.before, each.after) for each in changes} == {
        (contact.pk, "text", "a", "b"),
        (other.pk, "number", 6.0, None),
    }
