"""Factories of companies, users, lines and contacts, and the bases of the others."""

from datetime import UTC, datetime, timedelta

import factory
from django.contrib.auth.hashers import make_password
from django.utils.timezone import now
from factory.django import DjangoModelFactory

from crm.db.tenancy import all_tenants
from crm.models import (
    Company,
    Contact,
    ContactField,
    ContactFieldValue,
    ContactFlag,
    ContactList,
    ContactListEntry,
    ContactMerge,
    ContactPhone,
    ContactSearchKey,
    ContactTag,
    DuplicateCandidate,
    Mail,
    MarketingConsent,
    OptOut,
    OptOutEntry,
    PhoneLine,
    SecondFactor,
    SuppressedNumber,
    Tag,
    User,
    UserSession,
)
from crm.models.audit import hash_number
from crm.services.merging.journal import dump, stored_columns
from tests.fictional_numbers import fictional_number, numbers_between

PASSWORD = "rain-gutter-42"
TOTP_KEY = "JBSWY3DPEHPK3PXP"


class RowFactory(DjangoModelFactory):
    """Base class that writes rows of any company, whether or not the test has an active tenant."""

    class Meta:
        abstract = True

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        with all_tenants():
            return super()._create(model_class, *args, **kwargs)


class CompanyFactory(RowFactory):
    class Meta:
        model = Company

    name = factory.Sequence(lambda n: f"Company {n}")
    slug = factory.Sequence(lambda n: f"company-{n}")
    timezone = "America/New_York"


class OfCompanyFactory(RowFactory):
    class Meta:
        abstract = True

    company = factory.SubFactory(CompanyFactory)


class UserFactory(OfCompanyFactory):
    class Meta:
        model = User

    role = "csr"
    username = factory.Sequence(lambda n: f"user{n}")
    password = factory.LazyFunction(lambda: make_password(PASSWORD))


class SecondFactorFactory(RowFactory):
    """A second factor that is asked for at sign-in."""

    class Meta:
        model = SecondFactor

    user = factory.SubFactory(UserFactory, second_factor_since=factory.LazyFunction(now))
    key = TOTP_KEY


class UserSessionFactory(RowFactory):
    class Meta:
        model = UserSession

    user = factory.SubFactory(UserFactory)
    kind = "api"
    key = factory.Sequence(lambda n: f"session{n}")
    client = "Firefox on Windows"
    address = "192.0.2.7"
    expires_at = factory.LazyFunction(lambda: now() + timedelta(days=90))


class MailFactory(RowFactory):
    class Meta:
        model = Mail

    kind = "invitation"
    user = factory.SubFactory(UserFactory, email="nina@example.com")
    address = "nina@example.com"


class PhoneLineFactory(OfCompanyFactory):
    class Meta:
        model = PhoneLine

    name = "Front desk"
    number = numbers_between(23_000, 25_000)
    provider_id = factory.Sequence(lambda n: f"PNtest{n}")


class ContactFactory(OfCompanyFactory):
    """A contact with its main number among its phones."""

    class Meta:
        model = Contact

    first_name = "Casey"
    last_name = factory.Sequence(lambda n: f"Customer{n}")
    phone = numbers_between(3_000, 23_000)

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        contact = super()._create(model_class, *args, **kwargs)
        ContactPhoneFactory(contact=contact, phone=contact.phone)
        return contact


class OfContactFactory(RowFactory):
    """Base class of rows that belong to a contact and its company."""

    class Meta:
        abstract = True

    contact = factory.SubFactory(ContactFactory)
    company = factory.LazyAttribute(lambda row: row.contact.company)


class ContactPhoneFactory(OfContactFactory):
    class Meta:
        model = ContactPhone

    phone = numbers_between(25_000, 32_000)


class ContactSearchKeyFactory(OfContactFactory):
    class Meta:
        model = ContactSearchKey

    key = factory.Sequence(lambda n: f"nickname{n}")


class ContactFlagFactory(OfContactFactory):
    class Meta:
        model = ContactFlag

    flag_type = "do_not_contact"


class TagFactory(OfCompanyFactory):
    class Meta:
        model = Tag

    name = factory.Sequence(lambda n: f"Tag {n}")


class ContactTagFactory(OfContactFactory):
    class Meta:
        model = ContactTag

    tag = factory.SubFactory(TagFactory, company=factory.SelfAttribute("..contact.company"))


class ContactFieldFactory(OfCompanyFactory):
    class Meta:
        model = ContactField

    key = factory.Sequence(lambda n: f"field_{n}")
    label = factory.Sequence(lambda n: f"Field {n}")
    field_type = "number"


class ContactFieldValueFactory(OfContactFactory):
    """A value of a number, unless the field and the columns are given."""

    class Meta:
        model = ContactFieldValue

    field = factory.SubFactory(ContactFieldFactory, company=factory.SelfAttribute("..contact.company"))
    field_type = factory.SelfAttribute("field.field_type")
    number = factory.Maybe(
        factory.LazyAttribute(lambda row: row.field_type == "number"), yes_declaration=12.0, no_declaration=None
    )


class ContactListFactory(OfCompanyFactory):
    class Meta:
        model = ContactList

    name = factory.Sequence(lambda n: f"List {n}")


class ContactListEntryFactory(OfContactFactory):
    class Meta:
        model = ContactListEntry

    list = factory.SubFactory(ContactListFactory, company=factory.SelfAttribute("..contact.company"))


class DuplicateCandidateFactory(OfCompanyFactory):
    class Meta:
        model = DuplicateCandidate

    first = factory.LazyAttribute(lambda row: ContactFactory(company=row.company))
    second = factory.LazyAttribute(lambda row: ContactFactory(company=row.company))
    reasons = factory.LazyFunction(lambda: ["email"])
    score = 90


class ContactMergeFactory(OfCompanyFactory):
    """A merge of a contact that had no rows."""

    class Meta:
        model = ContactMerge

    kept = factory.LazyAttribute(lambda row: ContactFactory(company=row.company))
    gone_id = factory.Sequence(lambda n: 9_000_000 + n)
    before = factory.LazyAttribute(lambda row: gone_rows(row.kept, row.gone_id))


def gone_rows(kept, gone_id):
    """Return the contents of a merge's `before`: the two contacts, and nothing else."""
    rows = {name: dump(getattr(kept, name)) for name in stored_columns(Contact)}
    gone = rows | {"id": gone_id, "phone": fictional_number(44_000 + gone_id % 900), "last_name": "Gone"}
    return {"kept": rows, "gone": gone, "changed": [], "deleted": {}, "added": {}}


class SuppressedNumberFactory(OfCompanyFactory):
    class Meta:
        model = SuppressedNumber

    number_hash = factory.Sequence(lambda n: hash_number(fictional_number(32_000 + n % 2_000)))


class OptOutFactory(OfCompanyFactory):
    class Meta:
        model = OptOut

    phone = numbers_between(34_000, 36_000)
    number_hash = factory.LazyAttribute(lambda row: hash_number(row.phone))
    state = "opted_out"
    decided_at = datetime(2026, 3, 2, 16, tzinfo=UTC)


class MarketingConsentFactory(OfCompanyFactory):
    class Meta:
        model = MarketingConsent

    phone = numbers_between(36_000, 38_000)
    number_hash = factory.LazyAttribute(lambda row: hash_number(row.phone))
    source = "form"
    wording = "I agree to receive marketing texts from Acme Roofing at this number."
    proof = "https://acme.example/quote"
    given_at = datetime(2026, 3, 2, 16, tzinfo=UTC)


class OptOutEntryFactory(RowFactory):
    class Meta:
        model = OptOutEntry

    opt_out = factory.SubFactory(OptOutFactory)
    company = factory.LazyAttribute(lambda entry: entry.opt_out.company)
    action = "opted_out"
    words = "STOP"
    source = "sms"
    occurred_at = datetime(2026, 3, 2, 16, tzinfo=UTC)
