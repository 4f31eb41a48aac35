"""Since when a phone line is paused."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import now

from crm.models import PhoneLine
from tests import factories

HOUR = timedelta(hours=1)


@pytest.fixture
def line(in_acme):
    return factories.PhoneLineFactory(company=in_acme, number="+12125550180")


def pause(line, hours=1, **options):
    PhoneLine.objects.filter(pk=line.pk).pause(until=now() + hours * HOUR, reason="No credit.", **options)
    line.refresh_from_db()
    return line.paused_at


def ended(line, ago):
    PhoneLine.objects.filter(pk=line.pk).update(paused_until=now() - ago)


def test_longer_pause_keeps_its_beginning(line):
    before = now()
    since = pause(line)
    assert before <= since <= now()
    assert pause(line, hours=9) == since


def test_pause_after_the_end_of_another_begins_anew(line):
    since = pause(line)
    ended(line, ago=HOUR)
    assert pause(line) > since


def test_pause_goes_on_if_it_ended_lately(line):
    since = pause(line)
    ended(line, ago=HOUR)
    assert pause(line, ended_after=now() - 2 * HOUR) == since
    ended(line, ago=3 * HOUR)
    assert pause(line, ended_after=now() - 2 * HOUR) > since


def test_pause_that_staff_set_has_a_beginning_and_the_end_takes_it_away(line, staff_client):
    page = reverse("admin:crm_phoneline_change", args=[line.pk])
    form = {"name": "Front", "number": line.number, "provider": "openphone", "provider_id": line.provider_id,
            "daily_cap": 2000}  # fmt: skip

    def save(until):
        day, time = (f"{until:%Y-%m-%d}", f"{until:%H:%M}") if until else ("", "")
        answer = staff_client.post(page, form | {"paused_until_0": day, "paused_until_1": time})
        assert answer.status_code == 302
        line.refresh_from_db()
        return line.paused_at

    since = save(now() + HOUR)
    assert since is not None
    assert f"{since:%Y-%m-%d %H:%M}" in staff_client.get(page).content.decode()
    assert save(now() + 2 * HOUR) == since
    assert save(None) is None
