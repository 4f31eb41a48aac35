"""Search keys follow a contact's names, by every way of writing them."""

import unicodedata

import pytest
from django.db import connection

from crm.db.tenancy import all_tenants, tenant
from crm.models import Contact, ContactSearchKey
from crm.search_keys import MAX_LENGTH, is_long_enough, keys_of, prefixes_of, simplify
from crm.services.contacts import create_contact, name_contact, update_contact
from crm.services.provider_contacts import import_provider_contact
from crm.services.search_keys import repair_search_keys
from ops.privacy.export_erase import erase_person
from ops.privacy.people import person_of
from tests.factories import ContactFactory


@pytest.mark.parametrize(
    ("text", "simple"),
    [
        ("Straße", "strasse"), ("STRASSE", "strasse"), ("José", "jose"), ("Jose\u0301", "jose"), ("Łukasz", "lukasz"),
        ("Søren", "soren"), ("Þór", "thor"), ("İpek", "ipek"), ("Işık", "isik"), ("ＡＢＣ", "abc"), ("ﬁnn", "finn"),
        ("O’Brien", "o'brien"), ("Σίσυφος", "σισυφοσ"), ("王小明", "王小明"), ("김철수", "김철수"),
    ],
)  # fmt: skip
def test_spellings_of_a_name_are_x(text, simple):
    assert simplify(text) == simplify(unicodedata.normalize("NFD", text)) == simple


def test_key_begins_at_each_word_of_each_name():
    keys = keys_of(first_name="Mary Ann", last_name="O'Brien-de la Cruz", email="Mary.Ann@Example.com")
    assert keys == {
        "maryann", "ann", "obriendelacruz", "briendelacruz", "delacruz", "lacruz", "cruz", "mary.ann@example.com"
    }  # fmt: skip


def test_key_begins_at_each_character_of_a_name_without_spaces():
    assert keys_of(first_name="小明", last_name="王", email="") == {"小明", "明", "王"}


def test_contact_without_names_has_no_keys():
    assert keys_of(first_name="", last_name=" - ", email="") == set()


def test_long_names_have_bounded_keys_that_a_long_term_still_finds():
    name = "ﷺ" * 100  # one character that is taken apart into 18
    assert max(map(len, keys_of(first_name=name, last_name=name, email=""))) <= MAX_LENGTH
    [prefixes] = prefixes_of("x" * 300)
    assert prefixes == {"x" * MAX_LENGTH}


@pytest.mark.parametrize("term", ["Li", "王", "ら", "김", "12", "a bc", "O'"])
def test_short_names_are_long_enough_to_search(term):
    assert is_long_enough(term) == (term != "O'")


def stored(contact):
    return set(ContactSearchKey.objects.filter(contact=contact).values_list("key", flat=True))


WRITERS = {
    "create": lambda contact: contact,
    "save": lambda contact: set_names(contact).save(),
    "save of one field": lambda contact: set_names(contact).save(update_fields=["first_name", "last_name"]),
    "update": lambda contact: Contact.objects.filter(pk=contact.pk).update(first_name="Zoë", last_name="Ng"),
    "update by the name that changes": lambda contact: Contact.objects.filter(first_name="Casey").update(
        first_name="Zoë", last_name="Ng"
    ),
    "bulk_update": lambda contact: Contact.objects.bulk_update([set_names(contact)], ["first_name", "last_name"]),
    "service": lambda contact: update_contact(contact=contact, first_name="Zoë", last_name="Ng"),
    "erasure": lambda contact: erase_person(person=person_of(contact), by="test"),
}


def set_names(contact):
    contact.first_name, contact.last_name = "Zoë", "Ng"
    return contact


@pytest.mark.parametrize("writer", WRITERS)
def test_keys_follow_every_writer_at_once(writer, in_acme):
    contact, other = ContactFactory(company=in_acme, email="casey@example.com"), ContactFactory(company=in_acme)
    keys_of_other = stored(other) if "by the name" not in writer else {"zoe", "ng"}
    WRITERS[writer](contact)
    contact.refresh_from_db()
    names = {"first_name": contact.first_name, "last_name": contact.last_name, "email": contact.email}
    assert stored(contact) == keys_of(**names)
    assert not Contact.objects.filter(keys_stale=True).exists()
    assert stored(other) == keys_of_other
    if writer not in ("create", "erasure"):
        assert stored(contact) == {"zoe", "ng", "casey@example.com"}


def test_keys_follow_bulk_creation_names_of_callers_and_address_books(in_acme):
    [bulk] = Contact.objects.bulk_create([Contact(company=in_acme, phone="+12125550101", first_name="Zoë")])
    nameless = create_contact(company_id=in_acme.pk, phone="+12125550102")
    name_contact(contact=nameless, name="Zoë Ng")
    import_provider_contact(
        phones=["+12125550103"], first_name="Zoë", last_name="Ng", email="z@example.com", deleted=False
    )
    imported = Contact.objects.get(phone="+12125550103")
    assert [stored(contact) for contact in (bulk, nameless, imported)] == [
        {"zoe"}, {"zoe", "ng"}, {"zoe", "ng", "z@example.com"}
    ]  # fmt: skip
    assert not Contact.objects.filter(keys_stale=True).exists()


def test_keys_of_ignored_conflicts_are_written_by_the_worker(in_acme):
    existing = ContactFactory(company=in_acme, phone="+12125550101", first_name="Ann", last_name="Dunn")
    new = [Contact(company=in_acme, phone=f"+1212555010{n}", first_name="Zoë") for n in (1, 2)]
    Contact.objects.bulk_create(new, ignore_conflicts=True)
    assert repair_search_keys()
    assert not repair_search_keys()
    assert stored(existing) == {"ann", "dunn"}
    assert stored(Contact.objects.get(phone="+12125550102")) == {"zoe"}


def test_worker_mends_the_keys_of_names_that_another_program_wrote(in_acme, globex):
    contact = ContactFactory(company=in_acme, first_name="Casey", last_name="Reed")
    foreign = ContactFactory(company=globex, first_name="Casey", last_name="Reed")
    assert not repair_search_keys()
    with all_tenants(), connection.cursor() as cursor:
        cursor.execute("UPDATE contacts SET first_name = 'Zoë', last_name = ''")
    assert {contact.pk for contact in Contact.objects.filter(keys_stale=True)} == {contact.pk}
    assert repair_search_keys()
    assert not repair_search_keys()
    assert stored(contact) == {"zoe"}
    with tenant(globex.pk):
        assert stored(foreign) == {"zoe"}


def test_name_that_only_moves_to_the_other_field_makes_keys_stale(in_acme):
    contact = ContactFactory(company=in_acme, first_name="Mary Ann", last_name="")
    with all_tenants(), connection.cursor() as cursor:
        cursor.execute("UPDATE contacts SET first_name = 'Mary', last_name = ' Ann'")
    assert repair_search_keys()
    assert stored(contact) == {"mary", "ann"}


def test_keys_go_with_their_contact(in_acme):
    contact = ContactFactory(company=in_acme)
    assert stored(contact)
    contact.delete()
    assert not ContactSearchKey.objects.exists()
