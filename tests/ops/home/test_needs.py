"""Needs of staff on the first page: each number is that of the rows behind its link."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils.timezone import now

from crm.db.tenancy import all_tenants
from ops.home import needs
from tests import factories

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def live_worker(db):
    return factories.WorkerHeartbeatFactory(seen_at=now())


@pytest.fixture
def open_home(client, staff):
    client.force_login(staff)
    return lambda query="": client.get(f"/admin/{query}")


def ago(hours):
    return now() - hours * HOUR


def of(company, factory, **values):
    return factory(contact=factories.ContactFactory(company=company), **values)


def lost(company, **values):
    return of(company, factories.MessageFactory, direction="outgoing", **values)


# By title: makes a row that waits, at the company and since a time, and one of the same table that doesn't wait.
WAITING = {
    "Conversations wait for a reply": (
        lambda company, at: of(company, factories.ConversationFactory, status="waiting", last_activity_at=at),
        lambda company: of(company, factories.ConversationFactory, status="open"),
    ),
    "Missed callers": (
        lambda company, at: of(company, factories.MissedCallerFactory, first_missed_at=at, last_missed_at=at),
        lambda company: of(company, factories.MissedCallerFactory, recovered_at=now(), recovered_by="call"),
    ),
    "Opt-outs to review": (
        lambda company, at: factories.OptOutFactory(company=company, state="under_review", created_at=at),
        lambda company: factories.OptOutFactory(company=company, state="opted_out"),
    ),
    "Held messages": (
        lambda company, at: of(company, factories.HeldMessageFactory, created_at=at),
        lambda company: of(company, factories.MessageFactory),
    ),
    "Texts not delivered": (
        lambda company, at: lost(company, status="failed", created_at=at),
        lambda company: lost(company, status="undelivered", created_at=ago(25)),
    ),
    "Attachments not fetched": (
        lambda company, at: of(company, factories.AttachmentFactory, status="failed", file=None, created_at=at),
        lambda company: of(company, factories.AttachmentFactory, status="failed", file=None, created_at=ago(8 * 24)),
    ),
    "Failed webhook events": (
        lambda company, at: factories.WebhookEventFactory(company=company, status="dead", created_at=at),
        lambda company: factories.WebhookEventFactory(company=company),
    ),
    "Mails not sent": (
        lambda company, at: factories.MailFactory(user=None, state="failed", created_at=at),
        lambda company: factories.MailFactory(user=None, state="skipped"),
    ),
    "Paused phone lines": (
        lambda company, at: factories.PhoneLineFactory(company=company, paused_until=now() + HOUR, paused_at=at),
        lambda company: factories.PhoneLineFactory(company=company, paused_until=ago(1)),
    ),
    "New phone lines": (
        lambda company, at: factories.PhoneLineFactory(company=company, name="", created_at=at),
        lambda company: factories.PhoneLineFactory(company=company),
    ),
    "Workers without a sign of life": (
        lambda company, at: factories.WorkerHeartbeatFactory(seen_at=at),
        lambda company: factories.WorkerHeartbeatFactory(seen_at=now()),
    ),
    "Imports with rejected rows": (
        lambda company, at: factories.ImportFactory(company=company, rejected=2, created_at=at),
        lambda company: factories.ImportFactory(company=company, rejected=2, dry_run=True),
    ),
    "Duplicate contacts": (
        lambda company, at: factories.DuplicateCandidateFactory(company=company, created_at=at),
        lambda company: factories.DuplicateCandidateFactory(company=company, state="not_the_same", decided_at=now()),
    ),
}


def needs_of(page):
    return {need.title: need for need in page.context["needs"]}


def test_every_kind_of_need_is_tested_here():
    with all_tenants():
        kinds = {kind.title for kind in needs.kinds_of_needs()}
    assert kinds == {*WAITING, "Workers are running"}


@pytest.mark.parametrize("title", WAITING)
def test_need_counts_the_rows_of_all_companies_that_its_link_lists(title, open_home, client, acme, globex):
    wait, other = WAITING[title]
    other(acme)
    assert title not in needs_of(open_home())
    wait(acme, ago(2))
    wait(globex, ago(5))
    need = needs_of(open_home())[title]
    assert need.figure == "2"
    assert need.age == "5\xa0hours"
    listed = client.get(need.url)
    assert listed.status_code == 200
    assert listed.context["cl"].result_count == 2


def test_staff_are_needed_where_no_worker_runs(open_home, client, live_worker):
    assert not needs_of(open_home())
    live_worker.delete()
    need = needs_of(open_home())["Workers are running"]
    assert need.figure == "0"
    assert client.get(need.url).context["cl"].result_count == 0


def test_home_says_that_nothing_waits(open_home, acme):
    assert "Nothing needs you." in open_home().content.decode()


def test_count_ends_at_a_limit(open_home, acme, monkeypatch):
    monkeypatch.setattr(needs, "MAX_COUNTED", 2)
    factories.WebhookEventFactory.create_batch(4, company=acme, status="dead")
    assert needs_of(open_home())["Failed webhook events"].figure == "2+"


@pytest.mark.parametrize("group", ["Support", "Set-up", "Read-only"])
def test_member_of_a_group_sees_what_their_group_may_see_alone(group, client, acme):
    for wait, _ in WAITING.values():
        wait(acme, ago(1))
    user = factories.UserFactory(company=None, role="", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client.force_login(user)
    shown = set(needs_of(client.get("/admin/")))
    of_setup = {"Failed webhook events", "Paused phone lines", "New phone lines"}
    assert shown == (of_setup if group == "Set-up" else set(WAITING))
