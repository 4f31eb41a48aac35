"""Campaigns in the admin: the status follows from actions, and what is sent changes only in a draft."""

import pytest
from django.urls import reverse

from crm.models import Campaign

LIST = reverse("admin:crm_campaign_changelist")


@pytest.fixture
def staff_client(client, staff):
    client.force_login(staff)
    return client


def act(client, campaign, action):
    """Do an action in the list. Returns what the page says."""
    page = client.post(LIST, {"action": action, "_selected_action": [campaign.pk]}, follow=True)
    return [str(message) for message in page.context["messages"]]


def test_staff_start_pause_resume_and_cancel_a_campaign(draft, add_members, staff_client, staff):
    add_members(draft)
    statuses = []
    for action in ("start", "pause", "resume", "cancel"):
        act(staff_client, draft, action)
        draft.refresh_from_db()
        statuses.append(draft.status)
    assert statuses == ["running", "paused", "running", "cancelled"]
    assert draft.started_by == staff


def test_refused_action_says_why(draft, staff_client, in_acme):
    assert act(staff_client, draft, "start") == [f"{draft.name}: No contact waits for this campaign."]
    assert Campaign.objects.get().status == "draft"


def test_text_and_status_of_a_started_campaign_are_read_only(draft, add_members, staff_client):
    add_members(draft)
    page = reverse("admin:crm_campaign_change", args=[draft.pk])
    fields = staff_client.get(page).context["adminform"].form.fields
    assert {"body", "phone_line", "name"} <= set(fields)
    assert "status" not in fields
    act(staff_client, draft, "start")
    assert set(staff_client.get(page).context["adminform"].form.fields) == {"name", "daily_limit", "row_version"}
