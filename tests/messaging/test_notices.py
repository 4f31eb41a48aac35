"""Notices for managers."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.utils.timezone import now

from crm.db.tenancy import tenant
from crm.models import PhoneLine
from tests import factories
from tests.count_queries import CountQueries
from tests.errors import errors_of

URL = "/api/v1/notices"
LATER = datetime(2999, 1, 1, tzinfo=UTC)


def make_issues(company):
    line = factories.PhoneLineFactory(company=company, name="")
    paused = {"paused_until": LATER, "pause_reason": "No credit."}
    factories.PhoneLineFactory(company=company, name="Front desk", **paused)
    factories.WebhookEventFactory(company=company, status="dead", error="It can't be read.")
    factories.OptOutFactory(company=company, state="under_review")
    factories.MissedCallerFactory(contact__company=company, last_missed_at=now(), text_back="failed")
    outgoing = {"contact": factories.ContactFactory(company=company), "direction": "outgoing"}
    long_ago = now() - timedelta(hours=1)
    factories.MessageFactory(status="unknown", run_at=now(), created_at=long_ago, **outgoing)
    factories.MessageFactory(status="unknown", run_at=now(), **outgoing)
    factories.MessageFactory(status="failed", **outgoing)
    factories.MessageFactory(status="failed", activity__created_at=now() - timedelta(days=2), **outgoing)
    return line


def test_each_kind_of_issue_has_a_notice_with_a_url(manager_api, acme, globex):
    line = make_issues(acme)
    make_issues(globex)
    for company in (acme, globex):
        factories.CallRollupFactory(company=company, tries=settings.WORKER_MAX_TRIES)
    notices = manager_api.get(URL).json()["notices"]
    assert [(notice["kind"], notice["count"]) for notice in notices] == [
        ("unnamed_line", 1),
        ("paused_line", 1),
        ("dead_deliveries", 1),
        ("opt_outs_under_review", 1),
        ("texts_unknown", 1),
        ("texts_failed_today", 1),
        ("text_backs_failed", 1),
        ("daily_totals_failing", 1),
    ]
    assert notices[0]["message"] == f"New phone line {line.number} needs a name."
    assert "No credit." in notices[1]["message"]
    assert "It can't be read." in notices[2]["message"]
    for notice in notices:
        assert manager_api.get(notice["url"]).status_code == 200


def test_company_without_issues_has_no_notices(manager_api, acme, globex):
    make_issues(globex)
    factories.PhoneLineFactory(company=acme)
    factories.WebhookEventFactory(company=acme)
    assert manager_api.get(URL).json() == {"notices": []}


def test_query_count_is_independent_of_the_number_of_issues(manager_api, acme):
    costs = []
    for _ in range(2):
        make_issues(acme)
        with CountQueries() as queries:
            manager_api.get(URL)
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 17


def test_resumed_line_has_no_notice(manager_api, acme):
    line = factories.PhoneLineFactory(company=acme, paused_until=LATER, paused_at=now(), pause_reason="No credit.")
    line_fields = manager_api.post(f"/api/v1/phone-lines/{line.pk}/resume").json()
    assert (line_fields["paused_until"], line_fields["paused_at"], line_fields["pause_reason"]) == (None, None, "")
    assert manager_api.get(URL).json() == {"notices": []}


def test_line_of_another_company_cannot_be_resumed(outsider_api, acme):
    line = factories.PhoneLineFactory(company=acme, paused_until=LATER, pause_reason="No credit.")
    assert outsider_api.post(f"/api/v1/phone-lines/{line.pk}/resume").status_code == 404
    with tenant(acme.pk):
        assert PhoneLine.objects.get().paused_until == LATER


def test_manager_changes_the_daily_cap_but_not_the_pause(manager_api, acme):
    line = factories.PhoneLineFactory(company=acme)
    url = f"/api/v1/phone-lines/{line.pk}"
    assert manager_api.patch(url, {"daily_cap": 500}).json()["daily_cap"] == 500
    assert list(errors_of(manager_api.patch(url, {"daily_cap": -1}))) == ["daily_cap"]
    assert manager_api.patch(url, {"pause_reason": "Mine."}).json().get("pause_reason") != "Mine."


def test_limit_is_the_number_of_notices(manager_api, acme):
    make_issues(acme)
    all_notices = manager_api.get(URL).json()["notices"]
    assert manager_api.get(URL, {"limit": 2}).json()["notices"] == all_notices[:2]
    for limit in ("0", "1001", "x"):
        assert list(errors_of(manager_api.get(URL, {"limit": limit}))) == ["limit"]
