"""Old rows of every kind to archive and of every kind to keep."""

import random
from datetime import timedelta
from decimal import Decimal

from django.db import connection, transaction
from django.utils.timezone import now

from analytics.dashboard.booking_rate import cohort_booking_rate, scheduled_booking_rate
from analytics.dashboard.metrics import call_metrics
from analytics.dashboard.objections import top_objections
from crm.date_ranges import DateRange
from crm.db.tenancy import all_tenants, tenant
from ops.archive.archiving import archive_company
from ops.archive.manifest import MODELS
from tests import factories

DAY = timedelta(days=1)
OLD = 800 * DAY
CUT_OFF = 730 * DAY
ODD = "Ünïcode “quotes”, a\ttab, a\nline,\\, 雨 and 🌧"


def archive(company, root, **options):
    return archive_company(
        company=company, root=root, **{"cut_off": now() - CUT_OFF, "batch_size": 7} | options
    )  # fmt: skip


def contents(*tables):
    """Read every row of the archived tables, by table and id."""
    found = {}
    with connection.cursor() as cursor:
        for table in tables or MODELS:
            cursor.execute(f"SELECT * FROM {table} ORDER BY id")
            names = [column[0] for column in cursor.description]
            found[table] = {
                row[names.index("id")]: tuple(bytes(v) if isinstance(v, memoryview) else v for v in row)
                for row in cursor.fetchall()
            }
    return found


def objections():
    """Read the objections without ids: restored ones get new ids."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT company_id, call_id, label, analyzed_at FROM call_objections ORDER BY 1, 2, 3, 4")
        return cursor.fetchall()


def dashboard(company):
    """Read all dashboard numbers of a company, for all time and for periods of several lengths."""
    today = now().date()
    with tenant(company.pk):
        company.refresh_from_db()
        numbers = [call_metrics(DateRange(None, None, company.zone))]
        for start, end in ((900, 700), (801, 800), (800, 799), (810, 0), (20, 0)):
            period = DateRange(today - start * DAY, today - end * DAY, company.zone)
            numbers += [call_metrics(period), cohort_booking_rate(period), scheduled_booking_rate(period)]
            numbers.append(top_objections(period, limit=20))
    return numbers


@transaction.atomic
def make_history(company, *, seed=1, calls=25):
    """Create old rows in closed conversations, with varied values, and some rows of last week."""
    rng = random.Random(seed)  # noqa: S311  # no secret
    contact = factories.ContactFactory(company=company)
    lead = factories.LeadFactory(contact=contact)
    conversation = factories.ConversationFactory(contact=contact, status="closed")
    about = {"contact": contact, "company": company}
    for number in range(calls):
        at = now() - OLD + timedelta(seconds=rng.uniform(0, 5 * 24 * 3600))
        if number % 10 == 9:
            at = now() - rng.uniform(1, 6) * DAY
        activity = factories.ActivityFactory(
            **about, conversation=conversation, activity_type="call", direction="incoming", body=ODD,
            openphone_id=f"AC{company.pk}-{number}", created_at=at,
        )  # fmt: skip
        status = rng.choice(["lost", "missed", "unbooked", "purchased"])
        talk = {"answered_at": rng.choice([None, at]), "duration_s": rng.choice([None, 0, 77])}
        call = factories.CallFactory(
            **about, activity=activity if number % 4 else None, created_at=at, status=status,
            reason_for_lost_sale=ODD if status == "lost" else "", lead=rng.choice([None, lead]),
            quoted_price=rng.choice([None, Decimal("1234567890.12"), Decimal("0.10")]),
            **({} if status == "missed" else talk),
        )  # fmt: skip
        for _ in range(rng.randrange(3)):
            factories.CallAnalysisFactory(
                call=call, objections=rng.choices(["price", " Timing", ODD], k=2), summary=ODD, sentiment="negative",
                analyzed_at=at + timedelta(minutes=rng.randrange(9)),
            )  # fmt: skip
        factories.CallDetailFactory(
            call=call, created_at=at, summary=ODD, next_steps=[], openphone_id=f"ACd{company.pk}-{number}",
            transcript=[{"speaker": ODD, "start": 0.1, "end": 1e21, "text": None}],
        )  # fmt: skip
        text = factories.ActivityFactory(**about, conversation=conversation, created_at=at, activity_type="message",
                                         direction="outgoing")  # fmt: skip
        factories.MessageFactory(
            **about, activity=text, created_at=at, body=ODD, to_numbers=[ODD, "+12125550100"], direction="outgoing",
            status="delivered", media=[{"url": "https://example.com/é"}], run_at=rng.choice([None, at]),
        )  # fmt: skip
        factories.WebhookEventFactory(
            company=company, created_at=at, body=bytes(rng.randrange(256) for _ in range(50)), processed=True,
            status="processed", headers={"X-Ünïcode": ODD, "nested": [1, 2.5, None, {"z": 1, "a": 2}]},
        )  # fmt: skip
        factories.ActivityFactory(**about, body=ODD, created_at=at)
    factories.MissedCallerFactory(
        **about, first_missed_at=now() - OLD, recovered_at=now() - OLD, recovered_by="reply", missed_calls=3
    )
    return contact


@transaction.atomic
def make_needed_rows(company):
    """Create old rows that must be kept, one for each reason. Returns their number by bundle and reason."""
    contact = factories.ContactFactory(company=company)
    about = {"contact": contact, "company": company}
    old = {"created_at": now() - OLD}
    open_conversation = factories.ConversationFactory(contact=contact, status="open")
    stop = factories.ActivityFactory(**about, **old, body="STOP")
    factories.OptOutEntryFactory(opt_out__company=company, activity=stop)
    factories.AppointmentFactory(**about, call=factories.CallFactory(**about, **old))
    factories.CallFactory(**about, **old, status="in_progress")
    factories.CallAnalysisFactory(call=factories.CallFactory(**about, **old))
    factories.CallDetailFactory(call=factories.CallFactory(**about, **old))
    call_activity = factories.ActivityFactory(
        **about, **old, activity_type="call", direction="incoming", conversation=open_conversation
    )
    factories.CallFactory(**about, **old, activity=call_activity)
    factories.ActivityFactory(**about, **old, conversation=open_conversation)
    queued = factories.ActivityFactory(**about, **old)
    factories.MessageFactory(**about, **old, activity=queued, status="queued", direction="outgoing", run_at=now())
    text_back = factories.ActivityFactory(**about, **old)
    factories.MessageFactory(**about, activity=text_back)
    factories.WebhookEventFactory(company=company, **old)
    factories.WebhookEventFactory(company=company, **old, status="dead")
    factories.MissedCallerFactory(**about, first_missed_at=now() - OLD)
    factories.MissedCallerFactory(
        contact__company=company, first_missed_at=now() - OLD, text_back="due", recovered_at=now() - OLD,
        recovered_by="call",
    )  # fmt: skip
    return {
        ("calls", "referenced by appointments"): 1,
        ("calls", "in progress"): 1,
        ("calls", "in open conversations"): 1,
        ("calls", "with later call analyses"): 1,
        ("calls", "with later call details"): 1,
        ("activities", "referenced by opt-out entries"): 1,
        ("activities", "in open conversations"): 1,
        ("activities", "in the outbox"): 1,
        ("activities", "with later messages"): 1,
        ("missed_callers", "not reached yet"): 1,
        ("missed_callers", "text back due"): 1,
        ("webhook_events", "pending or dead"): 2,
    }


def ids_of(company, table):
    model = MODELS[table]
    with all_tenants():
        return set(model.objects.filter(company=company).values_list("pk", flat=True))
