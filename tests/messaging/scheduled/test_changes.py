"""Scheduled messages that are read, changed and cancelled."""

from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from messaging.models import Message
from messaging.notices import list_notices
from messaging.services.outbound.sending import send_next_messages
from tests.errors import code_of, errors_of
from tests.factories import CampaignMembershipFactory, MessageFactory
from tests.messaging.claims import claim
from tests.messaging.scheduled.steps import HOUR, pass_time, set_clock, state_of, url


def test_message_is_read_with_its_tag(message, csr_api):
    response = csr_api.get(url(message))
    assert (response.status_code, response.json()["id"]) == (200, message.pk)
    again = csr_api.get(url(message), headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304


def test_message_of_another_company_is_not_found(message, outsider_api):
    for response in (
        outsider_api.get(url(message)),
        outsider_api.patch(url(message), {"body": "Hi."}),
        outsider_api.post(url(message, "cancel")),
    ):
        assert response.status_code == 404
    assert state_of(message) == ("queued", "")


def test_text_and_time_change_while_it_is_queued(message, csr_api, monkeypatch, provider_server):
    tag = csr_api.get(url(message))["ETag"]
    later = timezone.now() + 2 * HOUR
    response = csr_api.patch(
        url(message), {"body": "See you at ten.", "send_at": later.isoformat()}, headers={"If-Match": tag}
    )
    assert (response.status_code, response.json()["body"]) == (200, "See you at ten.")
    message.refresh_from_db()
    assert (message.run_at, message.send_at, message.activity.body) == (later, later, "See you at ten.")
    stale = csr_api.patch(url(message), {"body": "No."}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["current"]["body"]) == (412, "See you at ten.")
    set_clock(monkeypatch, later)
    assert send_next_messages()
    assert [text.body for text in provider_server.sent] == ["See you at ten."]


def test_earlier_time_of_a_postponed_message_is_tried(message, csr_api):
    Message.objects.filter(pk=message.pk).update(run_at=timezone.now() + 9 * HOUR, error="Too late.")
    sooner = timezone.now() + HOUR
    csr_api.patch(url(message), {"send_at": sooner.isoformat()})
    message.refresh_from_db()
    assert (message.run_at, message.error) == (sooner, "")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"body": " "}, "body"),
        ({"body": "x" * 1601}, "body"),
        ({"send_at": None}, "send_at"),
        ({"send_at": "2020-01-01T00:00:00Z"}, "send_at"),
        ({"hold_if_reply": False}, "hold_if_reply"),
        ({"status": "failed"}, "status"),
    ],
)
def test_invalid_change_names_its_field(message, csr_api, body, field):
    response = csr_api.patch(url(message), body)
    assert (response.status_code, list(errors_of(response))) == (400, [field])


def test_claimed_message_is_neither_changed_nor_cancelled(message, csr_api, line):
    pass_time(message)
    claim(line)
    changed, cancelled = csr_api.patch(url(message), {"body": "No."}), csr_api.post(url(message, "cancel"))
    assert (changed.status_code, code_of(changed)) == (409, "not_scheduled")
    assert (cancelled.status_code, code_of(cancelled)) == (409, "not_queued")
    message.refresh_from_db()
    assert (message.status, message.body, message.activity.body) == ("sending", "See you.", "See you.")


def test_incoming_message_is_not_changed(csr_api, casey):
    incoming = MessageFactory(contact=casey)
    changed, cancelled = csr_api.patch(url(incoming), {"body": "No."}), csr_api.post(url(incoming, "cancel"))
    assert [code_of(changed), code_of(cancelled)] == ["not_scheduled", "not_queued"]


def test_cancelled_message_never_leaves(message, csr_api, csr, monkeypatch, provider_server):
    response = csr_api.post(url(message, "cancel"))
    row = response.json()
    assert (response.status_code, row["status"], row["error_code"]) == (200, "failed", "cancelled")
    assert row["error"] == f"{csr.get_full_name() or csr.username} cancelled it."
    again = csr_api.post(url(message, "cancel"))
    assert (again.status_code, code_of(again)) == (409, "not_queued")
    set_clock(monkeypatch, message.send_at)
    assert not send_next_messages()
    assert provider_server.sent == []


def test_cancelled_message_is_not_among_those_that_were_lost(message, csr_api):
    csr_api.post(url(message, "cancel"))
    assert not Message.objects.lost_since(timezone.now() - HOUR).exists()
    assert "texts_failed_today" not in {notice.kind for notice in list_notices(zone=ZoneInfo("UTC"))}


@pytest.fixture
def of_campaign(casey):
    return MessageFactory(
        contact=casey, direction="outgoing", kind="campaign", status="queued", run_at=timezone.now(),
        membership=CampaignMembershipFactory(contact=casey),
    )  # fmt: skip


def test_campaign_skips_the_contact_of_a_cancelled_message(manager_api, of_campaign):
    assert manager_api.post(url(of_campaign, "cancel")).status_code == 200
    of_campaign.membership.refresh_from_db()
    assert (of_campaign.membership.status, state_of(of_campaign)) == ("skipped", ("failed", "cancelled"))


@pytest.mark.parametrize("status", ["queued", "held"])
@pytest.mark.parametrize("kind", ["campaign", "reminder", "missed_call", "confirmation"])
def test_message_that_no_user_has_written_is_a_manager_s_to_cancel(casey, csr_api, manager_api, kind, status):
    message = MessageFactory(contact=casey, direction="outgoing", kind=kind, status=status, run_at=timezone.now())
    refused = csr_api.post(url(message, "cancel"))
    assert (refused.status_code, code_of(refused), state_of(message)[0]) == (403, "permission_denied", status)
    assert manager_api.post(url(message, "cancel")).status_code == 200
    assert state_of(message) == ("failed", "cancelled")


def test_csr_cancels_the_reply_of_a_colleague(casey, csr_api, line):
    reply = MessageFactory(contact=casey, direction="outgoing", kind="reply", status="queued", run_at=timezone.now())
    assert csr_api.post(url(reply, "cancel")).status_code == 200
    assert state_of(reply) == ("failed", "cancelled")


def test_rep_reads_messages_of_own_contacts_alone(message, rep_api):
    assert rep_api.get(url(message)).status_code == 404
    assert rep_api.post(url(message, "cancel")).status_code == 403
