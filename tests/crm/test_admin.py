"""Admin for companies, users, contacts and their rows."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.urls import reverse

from crm.admin.base.pagination import BoundedPaginator, estimate_rows
from crm.choices import CampaignStatus
from crm.db.tenancy import all_tenants, tenant
from crm.models import Company, Contact, ContactFlag, ContactPhone, Invoice, Lead, User
from tests import factories
from tests.conftest import postgres_only

pytestmark = pytest.mark.usefixtures("staff_client")

NO_NUMBERS = {"phones-TOTAL_FORMS": 0, "phones-INITIAL_FORMS": 0}


def contact_form(contact, **changes):
    """Return the form data of a contact with one number."""
    number = ContactPhone.objects.get(contact=contact)
    return {
        "company": contact.company_id,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "phone": contact.phone,
        "phones-TOTAL_FORMS": 1,
        "phones-INITIAL_FORMS": 1,
        "phones-0-id": number.pk,
        "phones-0-contact": contact.pk,
        "phones-0-label": "",
    } | changes


# --- Contacts ---------------------------------------------------------------------------------------------------------


def test_new_contacts_number_is_normalized_and_listed(client, acme):
    client.post(
        reverse("admin:crm_contact_add"),
        {"company": acme.pk, "first_name": "Ann", "phone": "(212) 555-0100", **NO_NUMBERS},
    )
    with tenant(acme.pk):
        contact = Contact.objects.get()
        assert contact.phone == "+12125550100"
        assert [number.phone for number in contact.phones.all()] == ["+12125550100"]


def test_former_main_number_stays_in_the_list(client, in_acme):
    contact = factories.ContactFactory(company=in_acme, phone="+12125550100")
    client.post(reverse("admin:crm_contact_change", args=[contact.pk]), contact_form(contact, phone="212-555-0101"))
    contact.refresh_from_db()
    assert contact.phone == "+12125550101"
    assert {number.phone for number in contact.phones.all()} == {"+12125550100", "+12125550101"}


@pytest.mark.parametrize("owned_as", ["main", "other"])
def test_taken_number_is_rejected_by_field(client, in_acme, owned_as):
    owner = factories.ContactFactory(company=in_acme, phone="+12125550100")
    taken = (
        owner.phone if owned_as == "main" else factories.ContactPhoneFactory(contact=owner, phone="+12125550105").phone
    )
    contact = factories.ContactFactory(company=in_acme, phone="+12125550101")
    response = client.post(reverse("admin:crm_contact_change", args=[contact.pk]), contact_form(contact, phone=taken))
    assert response.context["adminform"].form.errors == {"phone": ["Another contact has this number."]}
    contact.refresh_from_db()
    assert contact.phone == "+12125550101"


def test_number_of_another_companys_contact_is_free(client, in_acme, globex):
    factories.ContactFactory(company=globex, phone="+12125550100")
    contact = factories.ContactFactory(company=in_acme)
    client.post(reverse("admin:crm_contact_change", args=[contact.pk]), contact_form(contact, phone="2125550100"))
    contact.refresh_from_db()
    assert contact.phone == "+12125550100"


def test_invalid_number_is_rejected_by_field(client, in_acme):
    contact = factories.ContactFactory(company=in_acme)
    response = client.post(
        reverse("admin:crm_contact_change", args=[contact.pk]), contact_form(contact, phone="call me")
    )
    assert "phone" in response.context["adminform"].form.errors


def added_number(text):
    return {"phones-TOTAL_FORMS": 2, "phones-1-phone": text, "phones-1-label": "work"}


def test_additional_number_is_added(client, in_acme):
    contact = factories.ContactFactory(company=in_acme)
    client.post(
        reverse("admin:crm_contact_change", args=[contact.pk]), contact_form(contact, **added_number("212 555 0142"))
    )
    assert ContactPhone.objects.get(label="work").phone == "+12125550142"


@pytest.mark.parametrize("text", ["+12125550100", "+12125550101", "nonsense"])
def test_taken_main_or_invalid_additional_number_is_rejected(client, in_acme, text):
    factories.ContactFactory(company=in_acme, phone="+12125550100")
    contact = factories.ContactFactory(company=in_acme, phone="+12125550101")
    response = client.post(
        reverse("admin:crm_contact_change", args=[contact.pk]), contact_form(contact, **added_number(text))
    )
    assert "phone" in response.context["inline_admin_formsets"][0].formset.errors[1]
    assert contact.phones.count() == 1


def test_main_number_cannot_be_removed(client, in_acme):
    contact = factories.ContactFactory(company=in_acme)
    response = client.post(
        reverse("admin:crm_contact_change", args=[contact.pk]), contact_form(contact, **{"phones-0-DELETE": "on"})
    )
    assert "main number" in str(response.context["inline_admin_formsets"][0].formset.non_form_errors())
    assert contact.phones.count() == 1


def test_deletion_of_a_contact_with_a_history_is_rejected_with_bounded_queries(client, in_acme):
    contact = factories.ContactFactory(company=in_acme)
    factories.ActivityFactory.create_batch(30, contact=contact)
    url = reverse("admin:crm_contact_delete", args=[contact.pk])
    assert len(client.get(url).context["protected"]) == 20
    client.post(url, {"post": "yes"})
    assert Contact.objects.filter(pk=contact.pk).exists()


def test_contact_without_a_history_is_deleted_with_its_rows(client, in_acme):
    contact = factories.LeadFactory(contact__company=in_acme).contact
    client.post(reverse("admin:crm_contact_delete", args=[contact.pk]), {"post": "yes"})
    assert not Contact.objects.exists()
    assert not Lead.objects.exists()


# --- Rows of one company ----------------------------------------------------------------------------------------------


def test_reference_into_another_company_is_rejected(client, acme, globex):
    foreign = factories.ContactFactory(company=globex)
    response = client.post(reverse("admin:crm_lead_add"), {"company": acme.pk, "contact": foreign.pk, "status": "new"})
    assert response.context["adminform"].form.errors == {"contact": [f"{foreign} doesn't belong to Acme Roofing."]}


def test_row_cannot_move_to_another_company(client, acme, globex):
    lead = factories.LeadFactory(contact__company=acme)
    client.post(
        reverse("admin:crm_lead_change", args=[lead.pk]),
        {"company": globex.pk, "contact": lead.contact_id, "status": "won"},
    )
    lead.refresh_from_db()
    assert (lead.company_id, lead.status) == (acme.pk, "won")


def test_duplicate_invoice_number_is_rejected(client, in_acme):
    factories.InvoiceFactory(contact__company=in_acme, number="INV-1")
    invoice = factories.InvoiceFactory(contact__company=in_acme, number="INV-2")
    response = client.post(
        reverse("admin:crm_invoice_change", args=[invoice.pk]),
        {"contact": invoice.contact_id, "number": "INV-1", "amount": "10", "status": "draft", "due_date": "2026-03-01"},
    )
    assert response.context["adminform"].form.errors == {"number": ["Another invoice has this number."]}
    assert Invoice.objects.filter(number="INV-2").exists()


def test_flag_records_its_author(client, in_acme, staff):
    contact = factories.ContactFactory(company=in_acme)
    client.post(
        reverse("admin:crm_contactflag_add"),
        {"company": in_acme.pk, "contact": contact.pk, "flag_type": "do_not_contact", "source": "manual"},
    )
    assert ContactFlag.objects.get().created_by_id == staff.pk


def test_phone_lines_number_is_normalized(client, in_acme):
    line = factories.PhoneLineFactory(company=in_acme, name="", number="")
    client.post(
        reverse("admin:crm_phoneline_change", args=[line.pk]),
        {"name": "Front", "number": "(212) 555-0100", "provider": "openphone", "provider_id": line.provider_id}
        | {"daily_cap": 2000},
    )
    line.refresh_from_db()
    assert (line.name, line.number) == ("Front", "+12125550100")


# --- Users and companies ----------------------------------------------------------------------------------------------


def test_company_user_is_created_with_a_role(client, acme):
    client.post(
        reverse("admin:crm_user_add"),
        {
            "username": "nina",
            "usable_password": "true",
            "password1": "a-long-Passw0rd",
            "password2": "a-long-Passw0rd",
            "company": acme.pk,
            "role": "csr",
        },
    )
    nina = User.accounts.get(username="nina")
    assert (nina.company_id, nina.role, nina.is_staff) == (acme.pk, "csr", False)
    assert nina.check_password("a-long-Passw0rd")


def test_company_user_cannot_become_staff(client, csr):
    response = client.post(
        reverse("admin:crm_user_change", args=[csr.pk]),
        {"username": csr.username, "is_active": "on", "role": "csr", "is_staff": "on"},
    )
    assert response.context["adminform"].form.errors == {"is_staff": ["A user of a company can't be staff."]}


def test_new_company_user_cannot_be_staff(client, acme):
    response = client.post(
        reverse("admin:crm_user_add"),
        {
            "username": "nina",
            "usable_password": "true",
            "password1": "a-long-Passw0rd",
            "password2": "a-long-Passw0rd",
            "company": acme.pk,
            "role": "csr",
            "is_staff": "on",
        },
    )
    assert response.context["adminform"].form.errors == {"is_staff": ["A user of a company can't be staff."]}


def test_users_and_companies_cannot_be_deleted(client, csr, acme):
    for url in (reverse("admin:crm_user_delete", args=[csr.pk]), reverse("admin:crm_company_delete", args=[acme.pk])):
        assert client.post(url, {"post": "yes"}).status_code == 403
    assert User.accounts.filter(pk=csr.pk).exists()
    assert Company.objects.filter(pk=acme.pk).exists()


def test_staff_cannot_raise_their_own_permissions(client, staff, csr):
    clerk = factories.UserFactory(company=None, role="", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="change_user"))
    client.force_login(clerk)
    assert client.post(reverse("admin:crm_user_change", args=[clerk.pk]), {"is_superuser": "on"}).status_code == 403
    assert client.post(reverse("admin:auth_user_password_change", args=[staff.pk])).status_code == 403
    client.post(
        reverse("admin:crm_user_change", args=[csr.pk]),
        {"username": "renamed", "is_active": "on", "role": "csr", "is_superuser": "on"},
    )
    csr.refresh_from_db()
    assert (csr.username, csr.is_superuser) == ("renamed", False)


def test_company_slug_cannot_be_changed(client, acme):
    client.post(
        reverse("admin:crm_company_change", args=[acme.pk]),
        {
            "name": "Acme",
            "slug": "other",
            "timezone": "America/Denver",
            "currency": "USD",
            "segment_price_micros": 11000,
            "quiet_hours_start": 21,
            "quiet_hours_end": 8,
        },
    )
    acme.refresh_from_db()
    assert (acme.name, acme.slug) == ("Acme", "acme")


def test_unknown_time_zone_is_rejected_by_field(client, acme):
    response = client.post(
        reverse("admin:crm_company_change", args=[acme.pk]),
        {"name": "Acme", "timezone": "Denver", "currency": "USD"},
    )
    assert "timezone" in response.context["adminform"].form.errors


# --- Read-only rows ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", CampaignStatus)
def test_campaigns_badge_has_the_colour_of_its_status(client, acme, status):
    factories.CampaignFactory(company=acme, status=status, scheduled_at="2026-05-04T16:00Z")
    page = client.get("/admin/crm/campaign/").content.decode()
    assert f'<span class="badge badge-{status.color}">{status.label}</span>' in page
    assert status.color in ("good", "bad", "waiting", "plain")


def test_activity_is_read_only(client, in_acme):
    activity = factories.ActivityFactory(contact__company=in_acme, body="Has a dog.")
    url = reverse("admin:crm_activity_change", args=[activity.pk])
    assert "Has a dog." in client.get(url).content.decode()
    assert client.post(url, {"body": "Has a cat."}).status_code == 403
    assert client.post(reverse("admin:crm_activity_delete", args=[activity.pk]), {"post": "yes"}).status_code == 403
    activity.refresh_from_db()
    assert activity.body == "Has a dog."


# --- Counting ---------------------------------------------------------------------------------------------------------


def test_small_table_is_counted_exactly(in_acme):
    factories.ContactFactory.create_batch(3, company=in_acme)
    assert BoundedPaginator(Contact.objects.order_by("pk"), 2).total == "3"


@pytest.fixture
def count_to_five(monkeypatch):
    monkeypatch.setattr("crm.admin.base.pagination.MAX_ROWS", 5)


@pytest.mark.usefixtures("count_to_five")
def test_large_table_is_counted_up_to_a_limit(in_acme):
    factories.ContactFactory.create_batch(7, company=in_acme)
    paginator = BoundedPaginator(Contact.objects.order_by("pk"), 2)
    assert paginator.total == "5 or more"
    assert paginator.num_pages == 3


@postgres_only
@pytest.mark.usefixtures("count_to_five")
def test_unfiltered_large_table_shows_the_planners_estimate(acme):
    factories.ContactFactory.create_batch(7, company=acme)
    connection.cursor().execute("ANALYZE contacts")
    with all_tenants():
        assert estimate_rows(Contact) == 7
        assert BoundedPaginator(Contact.objects.order_by("pk"), 2).total == "about 7"
        assert BoundedPaginator(Contact.objects.filter(city="").order_by("pk"), 2).total == "5 or more"


# --- Forms of dates and money -----------------------------------------------------------------------------------------


def test_dates_have_one_form_with_the_zone_beside_the_time(client, acme):
    invoice = factories.InvoiceFactory(
        contact__company=acme, status="sent", created_at=datetime(2026, 3, 8, 14, 5, tzinfo=UTC)
    )
    html = client.get(reverse("admin:crm_invoice_change", args=[invoice.pk])).content.decode()
    assert "2026-03-08 14:05 UTC" in html
    assert f"In {acme.currency}." in html
    listed = client.get(reverse("admin:crm_invoice_changelist")).content.decode()
    assert f"{invoice.due_date:%Y-%m-%d}" in listed
    assert "p.m." not in html + listed
