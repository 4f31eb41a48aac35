"""What the database refuses and derives for companies, contacts and their surroundings."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError

from crm.db.tenancy import all_tenants
from crm.models import Activity, Campaign, CampaignMembership, Company, Contact, ContactPhone, User
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
def everything():
    """What a bulk write or another program can reach."""
    with all_tenants():
        yield


# --- Companies and their people ---------------------------------------------------------------------------------------


def test_a_slug_is_one_companys(acme):
    with refused("slug"):
        CompanyFactory(slug=acme.slug)


@pytest.mark.parametrize(("field", "value"), [("timezone", "Denver"), ("timezone", "UTC+2"), ("currency", "usd")])
def test_validation_refuses_a_zone_or_currency_that_is_none(acme, field, value):
    setattr(acme, field, value)
    with pytest.raises(ValidationError) as refusal:
        acme.full_clean()
    assert list(refusal.value.message_dict) == [field]


def test_a_company_that_has_rows_stays(ann):
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
def test_a_companys_user_has_a_role_and_is_no_staff(csr, change, constraint):
    with refused(constraint):
        User.accounts.filter(pk=csr.pk).update(**change)
    csr.refresh_from_db()
    assert (csr.role, csr.is_staff, csr.is_superuser) == ("csr", False, False)


def test_staff_have_neither_company_nor_role(staff):
    with refused("users_role_within_company"):
        User.accounts.filter(pk=staff.pk).update(role="manager")


def test_a_user_name_is_one_persons_across_companies(outsider, acme):
    with refused("username"):
        UserFactory(company=acme, username=outsider.username)


def test_a_line_has_a_number_or_the_providers_id(acme):
    PhoneLineFactory(company=acme, number="")
    PhoneLineFactory(company=acme, provider_id="")
    with refused("phone_lines_identified"):
        PhoneLineFactory(company=acme, number="", provider_id="")


@pytest.mark.parametrize("same", [{"number": "+12125550142"}, {"provider_id": "PNsame"}])
def test_a_line_is_known_once_in_a_company_and_several_may_lack_what_is_the_same(acme, globex, same):
    PhoneLineFactory(company=acme, **same)
    PhoneLineFactory(company=globex, **same)
    with refused("phone_lines"):
        PhoneLineFactory(company=acme, **same)
    lacking = dict.fromkeys(same, "")
    PhoneLineFactory(company=acme, **lacking)
    PhoneLineFactory(company=acme, **lacking)


def test_two_providers_may_give_a_line_the_same_id(acme):
    PhoneLineFactory(company=acme, provider="openphone", provider_id="PNsame")
    PhoneLineFactory(company=acme, provider="twilio", provider_id="PNsame")


# --- Contacts ---------------------------------------------------------------------------------------------------------


def test_two_companies_may_know_the_same_number_and_one_company_once(acme, globex):
    ContactFactory(company=acme, phone="+12125550100")
    ContactFactory(company=globex, phone="+12125550100")
    with refused("contacts"):
        ContactFactory(company=acme, phone="+12125550100")


def test_a_second_number_has_one_owner_in_a_company(acme, globex, ann):
    ContactPhoneFactory(contact=ann, phone="+12125550101")
    ContactPhoneFactory(contact=ContactFactory(company=globex), phone="+12125550101")
    other = ContactFactory(company=acme)
    with refused("contact_phones"):
        ContactPhoneFactory(contact=other, phone="+12125550101")


def test_a_contact_has_a_number(ann, everything):
    with refused("contacts_phone_present"):
        Contact.objects.update(phone="")


def test_search_keys_follow_the_names_whoever_writes(ann, everything):
    Contact.objects.update(first_name="ANN", last_name="O'Brien", email="Ann@Example.com")
    keys = Contact.objects.values_list("first_name_key", "last_name_key", "email_key").get()
    assert keys == ("ann", "o'brien", "ann@example.com")


def test_the_reversed_number_follows_the_number(ann, everything):
    ContactPhone.objects.update(phone="+12125550123")
    assert ContactPhone.objects.get().phone_reversed == "32105552121+"


def test_a_flag_without_an_end_stands_once_and_ended_ones_stay_beside_it(ann):
    ContactFlagFactory(contact=ann, flag_type="opted_out", expires_at=NOON)
    ContactFlagFactory(contact=ann, flag_type="opted_out", expires_at=NOON)
    ContactFlagFactory(contact=ann, flag_type="opted_out")
    ContactFlagFactory(contact=ann, flag_type="do_not_contact")
    with refused("contact_flags"):
        ContactFlagFactory(contact=ann, flag_type="opted_out")


def test_a_contact_and_a_line_have_one_conversation(ann):
    conversation = ConversationFactory(contact=ann)
    ConversationFactory(contact=ann)
    with refused("conversations"):
        ConversationFactory(contact=ann, phone_line=conversation.phone_line)


def test_a_contact_with_a_history_stays(ann):
    ActivityFactory(contact=ann)
    with pytest.raises(ProtectedError), transaction.atomic():
        ann.delete()
    assert Contact._base_manager.filter(pk=ann.pk).exists()


# --- What happened ----------------------------------------------------------------------------------------------------


def test_a_providers_id_is_one_entry_of_a_company_and_many_may_have_none(acme, globex, ann):
    ActivityFactory(contact=ann, openphone_id="AC1")
    ActivityFactory(contact=ContactFactory(company=globex), openphone_id="AC1")
    ActivityFactory(contact=ann, openphone_id=None)
    ActivityFactory(contact=ann, openphone_id=None)
    with refused("activities"):
        ActivityFactory(contact=ann, openphone_id="AC1")


@pytest.mark.parametrize("activity_type", ["message", "call", "voicemail", "email"])
def test_only_a_note_goes_neither_way(ann, everything, activity_type):
    ActivityFactory(contact=ann, activity_type="note", direction="")
    with refused("activities_direction_valid"):
        Activity.objects.update(activity_type=activity_type)
    Activity.objects.update(activity_type=activity_type, direction="incoming")


# --- Campaigns and invoices -------------------------------------------------------------------------------------------


def test_a_scheduled_campaign_says_when(acme, everything):
    CampaignFactory(company=acme)
    with refused("campaigns_scheduled_has_time"):
        Campaign.objects.update(status="scheduled")
    Campaign.objects.update(status="scheduled", scheduled_at=NOON)


def test_a_contact_is_in_a_campaign_once(ann):
    membership = CampaignMembershipFactory(contact=ann)
    CampaignMembershipFactory(contact=ann)
    with refused("campaign_memberships"):
        CampaignMembershipFactory(contact=ann, campaign=membership.campaign)


@pytest.mark.parametrize("status", ["sent", "delivered", "undelivered", "replied"])
def test_what_was_sent_says_when(ann, everything, status):
    CampaignMembershipFactory(contact=ann)
    with refused("campaign_memberships_sent_has_time"):
        CampaignMembership.objects.update(status=status)
    CampaignMembership.objects.update(status=status, sent_at=NOON)


@pytest.mark.parametrize("status", ["pending", "sending", "failed", "opted_out", "skipped"])
def test_what_was_not_sent_needs_no_time(ann, everything, status):
    CampaignMembershipFactory(contact=ann)
    assert CampaignMembership.objects.update(status=status) == 1


def test_an_invoices_number_is_one_companys(globex, ann):
    InvoiceFactory(contact=ann, number="INV-1")
    InvoiceFactory(contact=ContactFactory(company=globex), number="INV-1")
    with refused("invoices"):
        InvoiceFactory(contact=ann, number="INV-1")


def test_nobody_is_asked_for_less_than_nothing(ann):
    InvoiceFactory(contact=ann, amount=0)
    with refused("invoices_amount_not_negative"):
        InvoiceFactory(contact=ann, amount="-0.01")
