"""`manage.py seed_demo`."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from calls.models import Call
from crm.db.tenancy import all_tenants
from crm.models import Company
from ops.demo.companies import CATALOGUE


class Terminal(StringIO):
    def isatty(self):
        return True


SMALL = ["--contacts", "40", "--calls", "240", "--days", "90", "--until", "2026-03-01"]


@pytest.mark.slow
def test_command_prints_the_counts_and_the_user_names(db, capsys):
    call_command("seed_demo", *SMALL)
    printed = capsys.readouterr().out
    assert "calls" in printed
    assert "240" in printed
    assert "admin (staff" in printed
    assert f"{', '.join(CATALOGUE[1].usernames)} (Harborview Concrete, harborview-concrete)" in printed
    assert CATALOGUE[1].usernames[0] == "manager2"


def test_command_shows_a_progress_bar_on_a_terminal(db, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    call_command("seed_demo", *SMALL)
    assert "280/280" in terminal.getvalue()


def test_command_shows_no_progress_bar_elsewhere(db, capsys):
    call_command("seed_demo", *SMALL)
    assert capsys.readouterr().err == ""


def test_history_ends_today_by_default(db):
    call_command("seed_demo", *SMALL[:-2])
    with all_tenants():
        assert Call.objects.filter(status="in_progress").exists()


@pytest.mark.slow
def test_command_refuses_a_second_time_and_resets(db):
    call_command("seed_demo", *SMALL)
    with pytest.raises(CommandError, match="--reset"):
        call_command("seed_demo", *SMALL)
    call_command("seed_demo", *SMALL, "--companies", "1", "--reset")
    assert Company.objects.count() == 1


def test_if_empty_leaves_existing_companies_alone(acme, capsys):
    call_command("seed_demo", if_empty=True)
    assert list(Company.objects.all()) == [acme]
    assert capsys.readouterr().out == ""
