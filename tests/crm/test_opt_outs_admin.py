"""Admin for opt-outs and their review."""

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.models import ContactFlag, OptOut, OptOutEntry
from crm.services.opt_outs import flag_possible_opt_out, record_opt_in, record_opt_out
from tests.factories import ContactFactory, ContactPhoneFactory, fictional_number

PHONE, SECOND = fictional_number(42_200), fictional_number(42_201)


@pytest.fixture(autouse=True)
def _signed_in(client, staff):
    client.force_login(staff)


@pytest.fixture
def contact(in_acme):
    return ContactFactory(company=in_acme, phone=PHONE)


def record(service, phone=PHONE):
    service(phone=phone, words="off your list, please", source="sms", occurred_at=timezone.now())


def change_page(row):
    return reverse(f"admin:crm_{row._meta.model_name}_change", args=[row.pk])


def set_flag(client, contact, **fields):
    return client.post(
        reverse("admin:crm_contactflag_add"),
        {"company": contact.company_id, "contact": contact.pk, "flag_type": "opted_out", "source": "manual", **fields},
    )


def flag_form(flag, **fields):
    form = {"contact": flag.contact_id, "flag_type": flag.flag_type, "source": flag.source, "evidence": flag.evidence}
    return form | {"reason": flag.reason} | fields


@pytest.mark.parametrize(("answer", "state", "flags"), [("confirm", "opted_out", 1), ("dismiss", "clear", 0)])
def test_review_is_decided_on_its_page(client, staff, contact, answer, state, flags):
    record(flag_possible_opt_out)
    opt_out = OptOut.objects.get()
    page = client.get(change_page(opt_out)).content.decode()
    assert "off your list, please" in page
    inline = {"entries-TOTAL_FORMS": 0, "entries-INITIAL_FORMS": 0}
    assert client.post(change_page(opt_out), {"answer": answer, **inline}).status_code == 302
    opt_out.refresh_from_db()
    assert (opt_out.state, contact.flags.opted_out().count()) == (state, flags)
    assert OptOutEntry.objects.latest("id").created_by == staff


@pytest.mark.parametrize("view", ["change", "delete"])
def test_opt_out_entry_cannot_be_changed_or_deleted(client, contact, view):
    record(record_opt_out)
    entry = OptOutEntry.objects.get()
    page = reverse(f"admin:crm_optoutentry_{view}", args=[entry.pk])
    assert client.post(page, {"post": "yes", "words": "Hello"}).status_code == 403
    assert OptOutEntry.objects.get().words == entry.words


def test_opt_out_is_found_by_its_number_even_after_erasure(client, contact):
    record(record_opt_out)
    OptOut.objects.update(phone="")
    found = client.get(reverse("admin:crm_optout_changelist"), {"q": f"{PHONE[2:5]} {PHONE[5:]}"})
    assert [row.number_hash for row in found.context["cl"].result_list] == [OptOut.objects.get().number_hash]


def test_staff_flag_opts_out_until_it_is_ended(client, staff, contact):
    assert set_flag(client, contact, reason="Rang us.").status_code == 302
    flag = ContactFlag.objects.get()
    assert (flag.created_by, flag.reason, OptOut.objects.get().state) == (staff, "Rang us.", "opted_out")
    now = timezone.now()
    ended = flag_form(flag, expires_at_0=f"{now:%Y-%m-%d}", expires_at_1=f"{now:%H:%M:%S}")
    assert client.post(change_page(flag), ended).status_code == 302
    assert OptOut.objects.get().state == "clear"
    assert not ContactFlag.objects.opted_out().exists()


def test_opt_out_with_a_future_end_is_rejected_by_field(client, contact):
    response = set_flag(client, contact, expires_at_0="2040-01-01", expires_at_1="00:00:00")
    assert "expires_at" in response.context["adminform"].form.errors
    assert not OptOut.objects.exists()


def test_deleted_flag_ends_its_opt_out(client, contact):
    set_flag(client, contact)
    flag = ContactFlag.objects.get()
    client.post(reverse("admin:crm_contactflag_delete", args=[flag.pk]), {"post": "yes"})
    assert not ContactFlag.objects.exists()
    assert (OptOut.objects.get().state, OptOutEntry.objects.count()) == ("clear", 2)


def test_opt_out_leaves_the_contact_with_its_number(client, contact):
    number = ContactPhoneFactory(contact=contact, phone=SECOND)
    record(record_opt_out, SECOND)
    assert contact.flags.opted_out().exists()
    main = contact.phones.get(phone=PHONE)
    form = {
        "phone": PHONE, "phones-TOTAL_FORMS": 2, "phones-INITIAL_FORMS": 2,
        "phones-0-id": main.pk, "phones-0-contact": contact.pk, "phones-0-phone": PHONE,
        "phones-1-id": number.pk, "phones-1-contact": contact.pk, "phones-1-phone": SECOND, "phones-1-DELETE": "on",
    }  # fmt: skip
    assert client.post(change_page(contact), form).status_code == 302
    assert not contact.flags.opted_out().exists()
    assert OptOut.objects.get().state == "opted_out"


def test_opt_out_survives_deletion_of_its_contact(client, contact):
    record(record_opt_out)
    client.post(reverse("admin:crm_contact_delete", args=[contact.pk]), {"post": "yes"})
    assert not ContactFlag.objects.exists()
    assert OptOut.objects.get().state == "opted_out"


def test_first_page_shows_opt_outs_to_review(client, contact):
    record(flag_possible_opt_out)
    needs = {need.title: need for need in client.get(reverse("admin:index")).context["needs"]}
    need = needs["Opt-outs to review"]
    assert need.figure == "1"
    assert client.get(need.url).context["cl"].result_count == 1


@pytest.mark.parametrize("service", [flag_possible_opt_out, record_opt_out])
def test_opt_out_is_ended_with_a_reason_from_its_own_page(client, contact, staff, service):
    record(service)
    opt_out = OptOut.objects.get()
    response = client.post(change_page(opt_out), entry_form(opt_out, answer="end", reason=" "))
    assert response.context["adminform"].form.errors["reason"]
    assert (
        client.post(
            change_page(opt_out), entry_form(opt_out, answer="end", reason="She called and asked for texts.")
        ).status_code
        == 302
    )
    opt_out.refresh_from_db()
    assert opt_out.state == "clear"
    entry = opt_out.entries.latest("id")
    assert (entry.action, entry.words, entry.created_by) == ("opted_in", "She called and asked for texts.", staff)
    assert not contact.flags.in_force().exists()


def test_opt_out_in_force_is_neither_confirmed_nor_dismissed(client, contact):
    record(record_opt_out)
    opt_out = OptOut.objects.get()
    response = client.post(change_page(opt_out), entry_form(opt_out, answer="dismiss"))
    assert response.context["adminform"].form.errors["answer"]
    opt_out.refresh_from_db()
    assert opt_out.state == "opted_out"


def test_ended_opt_out_has_no_decision(client, contact):
    record(record_opt_in)
    assert b'name="answer"' not in client.get(change_page(OptOut.objects.get())).content


def entry_form(opt_out, **fields):
    return {"entries-TOTAL_FORMS": 0, "entries-INITIAL_FORMS": 0} | fields
