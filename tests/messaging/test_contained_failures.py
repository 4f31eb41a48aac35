"""Internal errors of one row: the row waits and fails in the end; the jobs and the other companies go on."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.db.tenancy import all_tenants, current_company_id, tenant
from messaging.models import Message, WebhookEvent
from messaging.services.inbound import webhook_processing
from messaging.services.outbound import claims, send_results, sending, settlement, text_backs, unknown_sends
from messaging.services.outbound.outbox import queue_message
from tests import factories
from tests.messaging.clocks import zone_with_hour
from tests.messaging.payloads import message_v4, post_event
from tests.messaging.worker_rounds import work_until_idle
from tests.provider_server import drop

pytestmark = pytest.mark.django_db
OWN_TRANSACTIONS = pytest.mark.django_db(transaction=True)  # an error ends the departure's
POISON = "Roof"


@pytest.fixture(autouse=True)
def fast(settings):
    settings.SMS_PER_SECOND = 1000


@pytest.fixture
def sick(desk, provider_server):
    """A message that every check fails on."""
    return queued(desk, POISON)


@pytest.fixture
def sound(globex, provider_server):
    """A message of another company, queued later."""
    provider_server.openphone.add_line("PNglobex", "+12125550190")
    return queued(factories.PhoneLineFactory(company=globex, number="+12125550190", provider_id="PNglobex"), "Gate")


def queued(line, body, **more):
    factories.ProviderAccountFactory(company=line.company)
    contact = factories.ContactFactory(company=line.company, phone="+12125550101", timezone=zone_with_hour(14))
    with tenant(line.company_id):
        return queue_message(contact=contact, line=line, body=body, kind="campaign", **more)


def fail_on_poison(monkeypatch, module, name):
    """Make a function of the product fail for the poisoned message."""
    real = getattr(module, name)

    def fail_or_run(*arguments, **options):
        values = [*arguments, *options.values(), *options.get("messages", ())]
        if any(POISON in (value, getattr(value, "body", None)) for value in values):
            raise LookupError("internal")
        return real(*arguments, **options)

    monkeypatch.setattr(module, name, fail_or_run)


def reload(message):
    with all_tenants():
        message.refresh_from_db()
    return message


def make_due(message, *, age=timedelta()):
    with all_tenants():
        Message.objects.filter(pk=message.pk).update(
            run_at=timezone.now() - timedelta(seconds=1), sent_at=timezone.now() - age
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "name"),
    [
        (claims, "check_line_and_hours"),
        (claims, "update_memberships"),
        (claims, "_count_sent"),
        (claims, "count_segments"),
        (sending, "check_recipient"),
        pytest.param(sending, "read_facts", marks=OWN_TRANSACTIONS),
    ],
)
def test_message_that_cannot_be_checked_waits_while_others_are_sent(sick, sound, monkeypatch, module, name):
    if name in ("_count_sent", "count_segments"):
        monkeypatch.setattr(module, name, fail_for_the_first_line(getattr(module, name), sick))
    elif name in ("check_recipient", "read_facts"):
        monkeypatch.setattr(module, name, fail_in_company(sick.company_id, getattr(module, name)))
    else:
        fail_on_poison(monkeypatch, module, name)
    before = timezone.now()
    work_until_idle()
    assert reload(sound).status == "sent"
    assert (reload(sick).status, sick.tries, sick.error) == ("queued", 1, "An internal error (LookupError).")
    assert sick.run_at >= before + timedelta(seconds=2)
    sick.phone_line.refresh_from_db()
    assert sick.phone_line.sent_segments == 0


def fail_for_the_first_line(real, message):
    def fail_or_run(first, *rest):
        if first in (message.phone_line, message.body):
            raise LookupError("internal")
        return real(first, *rest)

    return fail_or_run


def fail_in_company(company_id, real):
    def fail_or_run(**options):
        if current_company_id() == company_id:
            raise LookupError("internal")
        return real(**options)

    return fail_or_run


@pytest.mark.parametrize(
    ("module", "name"),
    [(claims, "update_memberships"), pytest.param(sending, "end_second_texts", marks=OWN_TRANSACTIONS)],
)
def test_sick_message_fails_alone_among_those_of_its_claim(sick, monkeypatch, module, name):
    with tenant(sick.company_id):
        contacts = [factories.ContactFactory(company=sick.company, timezone=zone_with_hour(14)) for _ in range(3)]
        others = [
            queue_message(contact=contact, line=sick.phone_line, body="Gate", kind="campaign") for contact in contacts
        ]
    fail_on_poison(monkeypatch, module, name)
    work_until_idle()
    assert [reload(other).status for other in others] == ["sent"] * 3
    assert (reload(sick).status, sick.tries, sick.error) == ("queued", 1, "An internal error (LookupError).")
    sick.phone_line.refresh_from_db()
    assert sick.phone_line.sent_segments == 3


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("module", "name"), [(claims, "read_daily_limits"), (sending, "client_for_sending")])
def test_line_that_fails_rests_while_others_send(sick, sound, monkeypatch, caplog, module, name):
    real = getattr(module, name)

    def fail_or_run(**options):
        company_id = options["line"].company_id if "line" in options else current_company_id()
        if company_id == sick.company_id:
            raise LookupError("internal")
        return real(**options)

    monkeypatch.setattr(module, name, fail_or_run)
    work_until_idle()
    assert reload(sound).status == "sent"
    assert (reload(sick).status, sick.tries) == ("queued", 0)  # it has not left, so there is nothing to look up
    with all_tenants():
        sick.phone_line.refresh_from_db()
    assert sick.phone_line.next_send_at > timezone.now() + timedelta(seconds=30)
    assert [record.getMessage() for record in caplog.records] == [
        f"Line {sick.phone_line_id} failed. It is tried again later, the other lines go on."
    ]


def test_message_with_too_many_internal_errors_fails_and_the_next_one_is_sent(sick, monkeypatch, settings):
    settings.WORKER_MAX_TRIES = 3
    fail_on_poison(monkeypatch, claims, "check_line_and_hours")
    with tenant(sick.company_id):
        membership = factories.CampaignMembershipFactory(contact=sick.contact)
        Message.objects.update(membership=membership)
        following = queue_message(contact=sick.contact, line=sick.phone_line, body="Gate", kind="campaign")
    for _ in range(3):
        make_due(sick)
        work_until_idle()
    assert (reload(sick).status, sick.tries) == ("failed", 3)
    assert reload(following).status == "sent"
    with all_tenants():
        membership.refresh_from_db()
    assert (membership.status, membership.reason) == ("failed", "An internal error (LookupError).")


def test_message_without_a_recipient_fails_alone(sick, sound, settings):
    settings.WORKER_MAX_TRIES = 1
    with all_tenants():
        Message.objects.filter(pk=sick.pk).update(to_numbers=[])
    work_until_idle()
    assert (reload(sick).status, reload(sound).status) == ("failed", "sent")


def test_result_that_cannot_be_recorded_is_unknown_and_then_found(sick, sound, monkeypatch, provider_server):
    with monkeypatch.context() as patch:
        for module in (settlement, send_results):
            fail_on_poison(patch, module, "update_memberships")
        work_until_idle()
    assert len(provider_server.sent) == 2
    assert reload(sound).status == "sent"
    assert (reload(sick).status, sick.error) == (
        "unknown",
        "An internal error (LookupError). The message may have been sent.",
    )
    make_due(sick)
    work_until_idle()
    assert reload(sick).status == "sent"
    assert len(provider_server.sent) == 2  # it was not sent again


@pytest.mark.parametrize(
    ("module", "name"),
    [(unknown_sends, "look_up_message"), (unknown_sends, "_find_at_provider"), (unknown_sends, "_apply_not_found")],
)
def test_lookup_that_fails_is_repeated_and_given_up_after_a_day(
    sick, sound, monkeypatch, provider_server, module, name
):
    provider_server.fail_sends(drop(accepts=False), drop(accepts=True))
    work_until_idle()
    assert (reload(sick).status, reload(sound).status) == ("unknown", "unknown")
    fail_on_poison(monkeypatch, module, name)
    for message in (sick, sound):
        make_due(message, age=timedelta(minutes=2))
    work_until_idle()
    assert reload(sound).status == "sent"
    assert (reload(sick).status, sick.tries) == ("unknown", 1)
    assert sick.run_at > timezone.now() + timedelta(seconds=30)
    make_due(sick, age=timedelta(days=1, minutes=1))
    work_until_idle()
    assert reload(sick).status == "failed"


def test_internal_error_of_a_message_is_logged_and_counted(sick, monkeypatch, caplog, client, settings):
    settings.METRICS_TOKEN = "one-that-only-prometheus-knows"  # not a secret
    fail_on_poison(monkeypatch, claims, "check_line_and_hours")
    work_until_idle()
    assert [record.getMessage() for record in caplog.records] == [f"Message {sick.pk} failed."]
    text = client.get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"}).content.decode()
    assert "crm_texts_failing 1.0" in text


@pytest.mark.parametrize("name", ["queue_message", "queue_text_back"])
def test_failing_text_back_fails_alone(db, monkeypatch, client, settings, manager_api, acme, name):
    settings.METRICS_TOKEN = "one-that-only-prometheus-knows"  # not a secret
    callers = []
    for company in (acme, factories.CompanyFactory()):
        company.missed_call_text = POISON if company == acme else "Sorry that we missed you."
        company.save()
        callers.append(
            factories.MissedCallerFactory(
                contact__company=company,
                contact__phone="+12125550101",
                contact__timezone=zone_with_hour(14),
                phone_line=factories.PhoneLineFactory(company=company),
                first_missed_at=timezone.now(),
                text_back="due",
            )
        )
    if name == "queue_text_back":
        monkeypatch.setattr(text_backs, name, fail_for_company(text_backs.queue_text_back, acme))
    else:
        fail_on_poison(monkeypatch, text_backs, name)
    while text_backs.queue_next_text_back():
        pass
    with all_tenants():
        for caller in callers:
            caller.refresh_from_db()
    assert [caller.text_back for caller in callers] == ["failed", "queued"]
    assert callers[0].text_back_reason == "It failed (LookupError)."
    kinds = [notice["kind"] for notice in manager_api.get("/api/v1/notices").json()["notices"]]
    assert "text_backs_failed" in kinds
    text = client.get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"}).content.decode()
    assert "crm_missed_callers_texts_failed 1.0" in text


def fail_for_company(real, company):
    def fail_or_run(*, caller):
        if caller.company_id == company.pk:
            raise LookupError("internal")
        return real(caller=caller)

    return fail_or_run


@pytest.mark.parametrize("error", [LookupError, RecursionError, MemoryError, UnicodeEncodeError])
def test_event_that_fails_waits_while_those_of_other_companies_are_processed(
    client, secret, globex, monkeypatch, error
):
    factories.WebhookSecretFactory(company=globex)
    first = post_event(client, message_v4(text=POISON))
    second = post_event(client, message_v4(), company="globex")
    assert (first.status_code, second.status_code) == (200, 200)
    raised = UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates") if error is UnicodeEncodeError else error("a")

    def fail_or_run(*, provider, event, known):
        if event.body == POISON:
            raise raised
        return record(provider=provider, event=event, known=known)

    record = webhook_processing.record_event
    monkeypatch.setattr(webhook_processing, "record_event", fail_or_run)
    work_until_idle()
    with all_tenants():
        events = {event.company.slug: event for event in WebhookEvent.objects.select_related("company")}
    assert (events["acme"].status, events["acme"].tries) == ("pending", 1)
    assert events["globex"].status == "processed"
