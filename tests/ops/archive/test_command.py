"""Command line of `manage.py archive`."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from ops.archive.manifest import MODELS
from ops.management.commands.archive import read_age
from tests import factories
from tests.ops.archive.fixture import OLD, contents, make_history, make_needed_rows

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def old_event(company, days, status="processed"):
    return factories.WebhookEventFactory(
        company=company, created_at=now() - timedelta(days=days), processed=True, status=status
    )


def test_output_lists_archived_and_kept_rows_and_the_folder(acme, tmp_path, capsys):
    make_history(acme)
    make_needed_rows(acme)
    call_command("archive", "--older-than", "730d", "--to", str(tmp_path))
    out = capsys.readouterr().out
    assert "acme: calls                         23 archived" in out
    assert "acme: calls                          1 kept: referenced by appointments" in out
    assert f"acme: written to {tmp_path}/acme/" in out
    call_command("archive", "--older-than", "730d", "--to", str(tmp_path))
    assert "acme: nothing was archived." in capsys.readouterr().out


def test_each_company_is_archived_by_its_own_retention(acme, globex, tmp_path, capsys, settings):
    settings.ARCHIVE_DIR = tmp_path
    acme.retention_days = 400
    acme.save()
    for company in (acme, globex):
        for days in (399, 401, 800):
            old_event(company, days)
    call_command("archive", "--to", str(tmp_path))
    out = capsys.readouterr().out
    assert "acme: webhook_events                 2 archived" in out
    assert "globex: skipped, because its retention_days is empty." in out
    assert len(contents("webhook_events")["webhook_events"]) == 4


def test_company_option_and_dry_run_limit_the_run(acme, globex, tmp_path, capsys):
    for company in (acme, globex):
        old_event(company, OLD.days)
    call_command("archive", "--older-than", "730", "--company", "globex", "--to", str(tmp_path), "--dry-run")
    out = capsys.readouterr().out
    assert "globex: webhook_events                 1 to archive" in out
    assert "acme" not in out
    assert len(contents("webhook_events")["webhook_events"]) == 2
    call_command("archive", "--older-than", "730", "--company", "globex", "--to", str(tmp_path))
    assert len(contents("webhook_events")["webhook_events"]) == 1


def test_only_deliveries_archives_closed_webhook_events_alone(acme, tmp_path, capsys):
    make_history(acme)
    for status in ("processed", "ignored"):
        old_event(acme, 91, status)
    recent = old_event(acme, 89)
    pending = factories.WebhookEventFactory(company=acme, created_at=now() - timedelta(days=91))
    others = [table for table in MODELS if table != "webhook_events"]
    before = contents(*others)
    call_command("archive", "--only", "deliveries", "--older-than", "90d", "--to", str(tmp_path))
    assert contents(*others) == before
    kept = contents("webhook_events")["webhook_events"].keys()
    assert {recent.pk, pending.pk} == {pk for pk in kept if pk >= recent.pk}
    assert "acme: webhook_events                 1 kept: pending or dead" in capsys.readouterr().out


def test_only_deliveries_leaves_idle_conversations_open(acme, tmp_path):
    conversation = factories.ConversationFactory(contact__company=acme, status="open", created_at=now() - OLD)
    old_event(acme, 91)
    call_command("archive", "--only", "deliveries", "--older-than", "13w", "--to", str(tmp_path))
    conversation.refresh_from_db()
    assert conversation.status == "open"


@pytest.mark.parametrize(("age", "days"), [("90", 90), ("90d", 90), ("12w", 84), ("2y", 730)])
def test_age_is_in_days_weeks_or_years(age, days):
    assert read_age(age) == timedelta(days=days)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ["--older-than", "two years"],
            "--older-than: 'two years' must be a number of days, weeks or years, such as 90d",
        ),
        (["--older-than", "364d"], "--older-than: 364 days are too few"),
        (["--older-than", "51w"], "--older-than: 357 days are too few; give at least 365"),
        (["--older-than", "29d", "--only", "deliveries"], "--older-than: 29 days are too few; give at least 30"),
        (["--only", "webhooks"], "--only: invalid choice: 'webhooks' .*deliveries"),
        (["--verify", "--only", "deliveries"], "remove --older-than, --only and --dry-run"),
        (["--batch", "0"], "--batch: '0' must be a number from 1 to 20000"),
        (["--older-than", "730d", "--company", "nobody"], "There is no company 'nobody'"),
    ],
)
def test_invalid_argument_is_rejected_by_name(db, arguments, complaint):
    with pytest.raises(CommandError, match=complaint):
        call_command("archive", *arguments)
