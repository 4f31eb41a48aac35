"""A company with many contacts, some of whom an audience leaves out, and a draft of a campaign."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.utils import timezone

from benchmarks.campaign_data import BODY, delete_company
from benchmarks.database import execute
from crm.db.audit_context import audit_disabled
from crm.db.tenancy import all_tenants
from crm.models import Campaign, Company, PhoneLine
from tests.fictional_numbers import AREA_CODES, fictional_number

SLUG = "benchmark-audience"
CITY = "Denver"  # of every tenth contact
TABLES = "contacts, contact_phones, contact_flags, marketing_consents, campaign_memberships"

# The numbers for fiction are fewer than the contacts: the further ones have further digits.
_AREAS = len(AREA_CODES)
_NUMBERS = 100 * _AREAS
_NUMBER = f"""
'+1' || (ARRAY{AREA_CODES})[1 + n % {_AREAS}] || '55501' || lpad((n / {_AREAS} % 100)::text, 2, '0')
    || CASE WHEN n >= {_NUMBERS} THEN (n / {_NUMBERS})::text ELSE '' END
"""
_STATEMENTS = [
    f"""
    INSERT INTO contacts (company_id, first_name, last_name, phone, email, address, city, state, postal_code, timezone,
                          keyed_text, created_at)
    SELECT {{company}}, 'Kim', 'Benchmark', {_NUMBER}, '', '', CASE n % 10 WHEN 0 THEN '{CITY}' ELSE 'Aurora' END, 'CO',
           '', '', 'Kim|Benchmark|', now() - n * interval '1 minute'
    FROM generate_series(1, {{contacts}}) AS n
    """,
    """
    INSERT INTO contact_phones (company_id, contact_id, phone, label, created_at)
    SELECT company_id, id, phone, '', created_at FROM contacts WHERE company_id = {company}
    """,
    """
    INSERT INTO contact_flags (company_id, contact_id, flag_type, reason, source, evidence, review_state, created_at)
    SELECT company_id, id, (ARRAY['opted_out', 'do_not_contact', 'invalid_number'])[1 + id % 3], '', 'manual', '', '',
           created_at
    FROM contacts WHERE company_id = {company} AND id % 20 = 0
    """,
    """
    INSERT INTO marketing_consents (company_id, number_hash, phone, source, wording, proof, given_at, created_at)
    SELECT company_id, phone, phone, 'form', 'I agree.', 'https://example.com', created_at, created_at
    FROM contacts WHERE company_id = {company} AND id % 2 = 0
    """,
    # A campaign of last week, and one that waits.
    """
    INSERT INTO campaign_memberships (company_id, campaign_id, contact_id, step, variant, status, reason, sms_segments,
                                      sent_at, created_at)
    SELECT company_id, {sent}, id, 1, 'a', 'delivered', '', 1, now() - interval '7 days', now()
    FROM contacts WHERE company_id = {company} AND id % 10 = 1
    """,
    """
    INSERT INTO campaign_memberships (company_id, campaign_id, contact_id, step, variant, status, reason, sms_segments,
                                      created_at)
    SELECT company_id, {waiting}, id, 1, 'a', 'pending', '', 0, now()
    FROM contacts WHERE company_id = {company} AND id % 50 = 2
    """,
]


@contextmanager
def company_with_contacts(*, contacts: int) -> Iterator[Campaign]:
    """Yield the draft of a campaign. The company is deleted with all its rows afterwards."""
    with all_tenants(), audit_disabled():
        company = Company.objects.create(
            name="Benchmark", slug=SLUG, timezone="America/Denver", campaign_interval_days=14
        )
    try:
        with all_tenants(), audit_disabled():
            draft, sent, waiting = _add_campaigns(company)
            rows = {"company": company.pk, "sent": sent.pk, "waiting": waiting.pk, "contacts": contacts}
            execute(*(statement.format(**rows) for statement in _STATEMENTS))
        execute(f"VACUUM ANALYZE {TABLES}")
        yield draft
    finally:
        delete_company(company)


def _add_campaigns(company: Company) -> list[Campaign]:
    line = PhoneLine.objects.create(
        company=company, name="Campaigns", number=fictional_number(0), provider_id="PNaudience", daily_cap=10_000_000
    )
    campaigns = [
        Campaign(company=company, name="Draft"),
        Campaign(company=company, name="Last week", status="completed", started_at=timezone.now()),
        Campaign(company=company, name="Waiting", status="running", started_at=timezone.now()),
    ]
    for campaign in campaigns:
        campaign.body, campaign.phone_line, campaign.feed_at = BODY, line, timezone.now() + timedelta(days=1)
        campaign.save()
    return campaigns
