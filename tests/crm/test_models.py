"""Constraints and generated columns of companies, contacts and their records."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError, Sum

from crm.db.tenancy import all_tenants
from crm.models import Activity, Campaign, CampaignCount, CampaignMembership, Company, Contact, ContactPhone, User
from tests.database_errors import refused
from tests.factories import (
    ActivityFactory,
    CampaignFactory,
    CampaignMembershipFactory,
    CompanyFactory,
    ContactFactory,
    ContactFlagFactory,
    ContactPhoneFactory,
    ConversationFactory,
    InvoiceFactory,
    PhoneLineFactory,
    UserFactory,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def ann(acme):
    return ContactFactory(company=acme)


@pytest.fixture
def every_company():
    """Every company is active, so bulk updates reach all rows."""
    with all_tenants():
        yield


# --- Companies, users and phone lines ---------------------------------------------------------------------------------


def test_slug_is_unique(acme):
    with refused("slug"):
        CompanyFactory(slug=acme.slug)


@pytest.mark.parametrize(("field", "value"), [("timezone", "Denver"), ("timezone", "UTC+2"), ("currency", "usd")])
def test_invalid_time_zone_or_currency_fails_validation(acme, field, value):
    setattr(acme, field, value)
    with pytest.raises(ValidationError) as refusal:
        acme.full_clean()
    assert list(refusal.value.message_dict) == [field]


def test_company_with_rows_cannot_be_deleted(ann):
    with pytest.raises(ProtectedError):
        ann.company.delete()
    assert Company.objects.filter(pk=ann.company_id).exists()


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"role": ""}, "users_role_within_company"),
        ({"role": "owner"}, "users_role_within_company"),
        ({"company": None}, "users_role_within_company"),
        ({"is_staff": True}, "users_staff_without_company"),
        ({"is_superuser": True}, "users_staff_without_company"),
    ],
)
def test_user_of_a_company_needs_a_role_and_cannot_be_staff(csr, change, constraint):
    with refused(constraint):
        User.accounts.filter(pk=csr.pk).update(**change)
    csr.refresh_from_db()
    assert (csr.role, csr.is_staff, csr.is_superuser) == ("csr", False, False)


def test_staff_cannot_have_a_role(staff):
    with refused("users_role_within_company"):
        User.accounts.filter(pk=staff.pk).update(role="manager")


def test_user_name_is_unique_across_companies(outsider, acme):
    with refused("username"):
        UserFactory(company=acme, username=outsider.username)


def test_phone_line_needs_a_number_or_a_provider_id(acme):
    PhoneLineFactory(company=acme, number="")
    PhoneLineFactory(company=acme, provider_id="")
    with refused("phone_lines_identified"):
        PhoneLineFactory(company=acme, number="", provider_id="")


def test_provider_id_of_a_line_is_unique_within_a_company_unless_empty(acme, globex):
    PhoneLineFactory(company=acme, provider_id="PNsame")
    PhoneLineFactory(company=globex, provider_id="PNsame")
    with refused("phone_lines"):
        PhoneLineFactory(company=acme, provider_id="PNsame")
    PhoneLineFactory.create_batch(2, company=acme, provider_id="")


def test_number_of_a_line_is_unique_over_all_companies_unless_empty(acme, globex):
    PhoneLineFactory(company=acme, number="+12125550142")
    for company in (acme, globex):
        with refused("phone_lines"):
            PhoneLineFactory(company=company, number="+12125550142")
    PhoneLineFactory.create_batch(2, company=acme, number="")


def test_user_needs_a_company_or_staff_access(staff, csr):
    with refused("users_role_within_company"):
        User.accounts.filter(pk=staff.pk).update(is_staff=False)
    with refused("users_role_within_company"):
        User.accounts.filter(pk=csr.pk).update(company=None, role="")


def test_two_providers_may_use_the_same_line_id(acme):
    PhoneLineFactory(company=acme, provider="openphone", provider_id="PNsame")
    PhoneLineFactory(company=acme, provider="twilio", provider_id="PNsame")


# --- Contacts ---------------------------------------------------------------------------------------------------------


def test_main_number_is_unique_within_a_company(acme, globex):
    ContactFactory(company=acme, phone="+12125550100")
    ContactFactory(company=globex, phone="+12125550100")
    with refused("contacts"):
        ContactFactory(company=acme, phone="+12125550100")


def test_additional_number_is_unique_within_a_company(acme, globex, ann):
    ContactPhoneFactory(contact=ann, phone="+12125550101")
    ContactPhoneFactory(contact=ContactFactory(company=globex), phone="+12125550101")
    other = ContactFactory(company=acme)
    with refused("contact_phones"):
        ContactPhoneFactory(contact=other, phone="+12125550101")


def test_contact_needs_a_number(ann, every_company):
    with refused("contacts_phone_present"):
        Contact.objects.update(phone="")


def test_reversed_number_follows_a_bulk_update_of_the_number(ann, every_company):
    ContactPhone.objects.update(phone="+12125550123")
    assert ContactPhone.objects.get().phone_reversed == "32105552121+"


def test_flag_without_an_end_is_unique_beside_expired_ones(ann):
    ContactFlagFactory(contact=ann, flag_type="opted_out", expires_at=NOON)
    ContactFlagFactory(contact=ann, flag_type="opted_out", expires_at=NOON)
    ContactFlagFactory(contact=ann, flag_type="opted_out")
    ContactFlagFactory(contact=ann, flag_type="do_not_contact")
    with refused("contact_flags"):
        ContactFlagFactory(contact=ann, flag_type="opted_out")


def test_conversation_is_unique_for_a_contact_and_a_line(ann):
    conversation = ConversationFactory(contact=ann)
    ConversationFactory(contact=ann)
    with refused("conversations"):
        ConversationFactory(contact=ann, phone_line=conversation.phone_line)


def test_contact_with_activities_cannot_be_deleted(ann):
    ActivityFactory(contact=ann)
    with pytest.raises(ProtectedError), transaction.atomic():
        ann.delete()
    assert Contact._base_manager.filter(pk=ann.pk).exists()


# --- Activities -------------------------------------------------------------------------------------------------------


def test_provider_id_of_an_activity_is_unique_within_a_company_unless_null(acme, globex, ann):
    ActivityFactory(contact=ann, openphone_id="AC1")
    ActivityFactory(contact=ContactFactory(company=globex), openphone_id="AC1")
    ActivityFactory(contact=ann, openphone_id=None)
    ActivityFactory(contact=ann, openphone_id=None)
    with refused("activities"):
        ActivityFactory(contact=ann, openphone_id="AC1")


@pytest.mark.parametrize("activity_type", ["message", "call", "voicemail", "email"])
def test_only_a_note_can_be_without_a_direction(ann, every_company, activity_type):
    ActivityFactory(contact=ann, activity_type="note", direction="")
    with refused("activities_direction_valid"):
        Activity.objects.update(activity_type=activity_type)
    Activity.objects.update(activity_type=activity_type, direction="incoming")


# --- Campaigns and invoices -------------------------------------------------------------------------------------------


def test_scheduled_campaign_needs_a_time(acme, every_company):
    line = PhoneLineFactory(company=acme)
    CampaignFactory(company=acme)
    with refused("campaigns_scheduled_has_time"):
        Campaign.objects.update(status="scheduled", body="Hello", phone_line=line)
    Campaign.objects.update(status="scheduled", scheduled_at=NOON, phone_line=line)


def test_campaign_needs_a_body_and_a_line_before_it_is_scheduled(acme, every_company):
    CampaignFactory(company=acme)
    with refused("campaigns_ready_has_body_and_line"):
        Campaign.objects.update(status="scheduled", scheduled_at=NOON)
    with refused("campaigns_ready_has_body_and_line"):
        Campaign.objects.update(
            status="scheduled", scheduled_at=NOON, phone_line=PhoneLineFactory(company=acme), body=""
        )


def test_every_write_of_memberships_is_counted(acme, every_company):
    first = CampaignMembershipFactory(contact__company=acme)
    CampaignMembershipFactory(contact__company=acme, campaign=first.campaign)
    CampaignMembership.objects.filter(pk=first.pk).update(status="sent", sent_at=NOON, sms_segments=2)
    CampaignMembership.objects.exclude(pk=first.pk).delete()
    counts = CampaignCount.objects.values_list("campaign", "status", "hour").annotate(
        Sum("members"), Sum("sms_segments")
    )
    hour = NOON.replace(minute=0, second=0, microsecond=0)
    assert [count for count in counts if count[3]] == [(first.campaign_id, "sent", hour, 1, 2)]


def test_contact_is_in_a_campaign_once(ann):
    membership = CampaignMembershipFactory(contact=ann)
    CampaignMembershipFactory(contact=ann)
    with refused("campaign_memberships"):
        CampaignMembershipFactory(contact=ann, campaign=membership.campaign)


@pytest.mark.parametrize("status", ["sent", "delivered", "undelivered", "replied"])
def test_sent_membership_needs_a_time(ann, every_company, status):
    CampaignMembershipFactory(contact=ann)
    with refused("campaign_memberships_sent_has_time"):
        CampaignMembership.objects.update(status=status)
    CampaignMembership.objects.update(status=status, sent_at=NOON)


@pytest.mark.parametrize("status", ["pending", "sending", "failed", "opted_out", "skipped"])
def test_unsent_membership_needs_no_time(ann, every_company, status):
    CampaignMembershipFactory(contact=ann)
    assert CampaignMembership.objects.update(status=status) == 1


def test_invoice_number_is_unique_within_a_company(globex, ann):
    InvoiceFactory(contact=ann, number="INV-1")
    InvoiceFactory(contact=ContactFactory(company=globex), number="INV-1")
    with refused("invoices"):
        InvoiceFactory(contact=ann, number="INV-1")


def test_invoice_amount_cannot_be_negative(ann):
    InvoiceFactory(contact=ann, amount=0)
    with refused("invoices_amount_not_negative"):
        InvoiceFactory(contact=ann, amount="-0.01")
