"""The message that the rep is on the way: who may send it, when, and once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from calls.models import Appointment
from calls.services.booking import change_appointment
from crm.db.tenancy import all_tenants, tenant
from crm.error_codes import ErrorCode
from crm.models import PhoneLine
from crm.services.opt_outs import record_opt_out
from messaging.models import Message
from messaging.services.outbound.claims import claim_messages
from messaging.services.outbound.on_the_way import AlreadyOnTheWay, send_on_the_way
from messaging.services.outbound.ready_lines import ReadyLine
from tests import factories
from tests.conftest import postgres_only, signed_in
from tests.errors import code_of, codes_of, errors_of
from tests.messaging.clocks import zone_with_hour

HOUR = timedelta(hours=1)
PHONE = "+12125550142"
TEXT = "Ralph Meyer of Acme Roofing is on the way, and is expected in 20 minutes.\nReply STOP to opt out."
ON_THE_WAY_TOO_LATE = ErrorCode.ON_THE_WAY_TOO_LATE.detail


@pytest.fixture
def rep(acme):
    return factories.UserFactory(company=acme, role="rep", first_name="Ralph", last_name="Meyer")


@pytest.fixture
def line(acme):
    return factories.PhoneLineFactory(company=acme)


def booked(acme, *, starts_in=HOUR, hour=14, **fields):
    """Create an appointment of a contact for whom it is that hour."""
    return factories.AppointmentFactory(
        contact__company=acme,
        contact__phone=PHONE,
        contact__timezone=zone_with_hour(hour),
        scheduled_start=timezone.now() + starts_in,
        **fields,
    )


def tell(api, appointment, **body):
    return api.post(f"/api/v1/appointments/{appointment.pk}/on-the-way", {"minutes": 20, **body})


def messages():
    with all_tenants():
        return list(Message.objects.select_related("activity"))


def test_rep_tells_the_contact_once(acme, line, rep, rep_api, csr_api):
    appointment = booked(acme, assigned_rep=rep)
    answer = tell(rep_api, appointment)
    assert answer.status_code == 200
    [message] = messages()
    assert (message.body, message.kind, message.status, message.priority) == (TEXT, "on_the_way", "queued", 0)
    assert (message.activity.user_id, message.phone_line_id) == (rep.pk, line.pk)
    assert (
        answer.json()["on_the_way_at"] == rep_api.get(f"/api/v1/appointments/{appointment.pk}").json()["on_the_way_at"]
    )
    again = tell(csr_api, appointment)
    assert (again.status_code, code_of(again)) == (409, "already_on_the_way")
    assert len(messages()) == 1


def test_message_is_in_the_history_of_the_contact(acme, line, rep, rep_api, csr_api):
    appointment = booked(acme, assigned_rep=rep)
    tell(rep_api, appointment)
    entries = csr_api.get(f"/api/v1/contacts/{appointment.contact_id}/timeline").json()["results"]
    assert [entry["kind"] for entry in entries if TEXT in entry.values()] == ["message"]


def test_rep_tells_nobody_for_a_colleague(acme, line, rep_api):
    assert tell(rep_api, booked(acme)).status_code == 404
    assert messages() == []


def test_appointment_that_is_moved_may_be_told_again(acme, line, rep, rep_api):
    appointment = booked(acme, assigned_rep=rep)
    tell(rep_api, appointment)
    with tenant(acme.pk):
        later = {name: getattr(appointment, name) + HOUR for name in ("scheduled_start", "scheduled_end")}
        change_appointment(appointment=appointment, **later)
    assert tell(rep_api, appointment).status_code == 200
    assert len(messages()) == 2


def claim(line):
    ready = ReadyLine(line_id=line.pk, company_id=line.company_id, provider=line.provider, priorities=(0,))
    return claim_messages(ready=ready).messages


def test_message_that_can_not_leave_at_once_fails_and_the_contact_may_be_told_again(acme, line, rep, rep_api):
    appointment = booked(acme, assigned_rep=rep)
    tell(rep_api, appointment)
    with tenant(acme.pk):
        PhoneLine.objects.filter(pk=line.pk).update(paused_until=timezone.now() + HOUR)
    assert claim(line) == []
    assert [message.status for message in messages()] == ["failed"]
    with tenant(acme.pk):
        PhoneLine.objects.filter(pk=line.pk).update(paused_until=None, next_send_at=timezone.now())
    assert tell(rep_api, appointment).status_code == 200
    assert code_of(tell(rep_api, appointment)) == "already_on_the_way"


def test_message_does_not_leave_after_an_outage(acme, line, rep, rep_api):
    tell(rep_api, booked(acme, assigned_rep=rep))
    with tenant(acme.pk):
        Message.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    assert claim(line) == []
    assert [(message.status, message.error) for message in messages()] == [("failed", ON_THE_WAY_TOO_LATE)]


@pytest.mark.parametrize("change", ["status", "time"])
def test_contact_is_not_told_of_an_appointment_that_was_changed_meanwhile(change, acme, line, rep):
    appointment = booked(acme, assigned_rep=rep)
    start = timezone.now() + 2 * HOUR
    values = (
        {"status": "cancelled"} if change == "status" else {"scheduled_start": start, "scheduled_end": start + HOUR}
    )
    with tenant(acme.pk):
        Appointment.objects.filter(pk=appointment.pk).update(**values)
        with pytest.raises(AlreadyOnTheWay):
            send_on_the_way(appointment=appointment, minutes=20, user=rep)
    assert messages() == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"status": "cancelled"}, "not_coming"),
        ({"status": "completed"}, "not_coming"),
        ({"starts_in": 13 * HOUR}, "not_soon"),
        ({"starts_in": -13 * HOUR}, "not_soon"),
    ],
    ids=["cancelled", "completed", "tomorrow", "yesterday"],
)
def test_nobody_is_told_of_an_appointment_that_is_not_coming(fields, code, acme, line, csr_api):
    answer = tell(csr_api, booked(acme, **fields))
    assert (answer.status_code, code_of(answer)) == (409, code)
    assert messages() == []


def test_night_is_a_refusal_and_not_a_delay(acme, line, csr_api):
    appointment = booked(acme, hour=3)
    answer = tell(csr_api, appointment)
    assert (answer.status_code, code_of(answer)) == (409, "quiet_hours")
    assert answer.json()["retry_at"]
    assert messages() == []
    appointment.refresh_from_db()
    assert appointment.on_the_way_at is None


def test_opt_out_is_a_refusal(acme, line, csr_api):
    appointment = booked(acme)
    with tenant(acme.pk):
        record_opt_out(phone=PHONE, words="STOP", source="manual", occurred_at=timezone.now())
    assert code_of(tell(csr_api, appointment)) == "opted_out"


def test_unknown_line_must_be_named(acme, csr_api):
    first, _ = (factories.PhoneLineFactory(company=acme) for _ in range(2))
    appointment = booked(acme)
    assert codes_of(tell(csr_api, appointment)) == {"phone_line": ["required"]}
    assert tell(csr_api, appointment, phone_line=first.pk).status_code == 200


@pytest.mark.parametrize("minutes", [0, 241, "soon", None])
def test_minutes_must_be_plausible(minutes, acme, line, csr_api):
    assert list(codes_of(tell(csr_api, booked(acme), minutes=minutes))) == ["minutes"]


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_of_two_people_at_once_one_tells_the_contact():
    company = factories.CompanyFactory(name="Acme Roofing")
    factories.PhoneLineFactory(company=company)
    user = factories.UserFactory(company=company)
    appointment, start = booked(company), threading.Barrier(2)

    def try_to_tell(_):
        start.wait(timeout=10)
        try:
            with tenant(company.pk):
                row = Appointment.objects.select_related("company", "contact", "assigned_rep").get(pk=appointment.pk)
                send_on_the_way(appointment=row, minutes=20, user=user)
        except AlreadyOnTheWay:
            return "refused"
        finally:
            connection.close()
        return "told"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(try_to_tell, range(2))) == ["refused", "told"]
    assert len(messages()) == 1


def test_staff_tell_the_contact_on_the_page_of_the_appointment(acme, line, rep, staff_client):
    appointment = booked(acme, assigned_rep=rep)
    page = f"/admin/calls/appointment/{appointment.pk}"
    assert "Text that the rep is on the way" in staff_client.get(f"{page}/change/").content.decode()
    staff_client.post(f"{page}/on-the-way", {"minutes": "20"})
    assert [message.body for message in messages()] == [TEXT]
    after = staff_client.get(f"{page}/change/").content.decode()
    assert "The contact was told so" in after
    assert "Text that the rep is on the way" not in after


def test_other_company_has_no_such_appointment(acme, line, globex):
    stranger = signed_in(factories.UserFactory(company=globex, role="manager"))
    assert tell(stranger, booked(acme)).status_code == 404


@pytest.mark.parametrize(
    ("own", "sent"),
    [
        (
            "Hi {first_name|there}, {rep|your rep} comes in {minutes}.",
            "Acme Roofing: Hi there, Ralph Meyer comes in 20 minutes.",
        ),
        (
            "{company_name} comes in {minutes}. Reply STOP to end.",
            "Acme Roofing comes in 20 minutes. Reply STOP to end.",
        ),
    ],
)
def test_company_s_own_text_is_sent(own, sent, acme, line, rep, csr_api, manager_api):
    assert manager_api.patch("/api/v1/company", {"on_the_way_text": own}).json()["on_the_way_text"] == own
    appointment = booked(acme, assigned_rep=rep, contact__first_name="")
    assert tell(csr_api, appointment, phone_line=line.pk).status_code == 200
    assert messages()[0].body.splitlines()[0] == sent


def test_own_text_without_a_rep_has_its_default(acme, line, csr_api, manager_api):
    manager_api.patch("/api/v1/company", {"on_the_way_text": "{rep|Somebody} comes in {minutes}."})
    tell(csr_api, booked(acme), phone_line=line.pk, minutes=1)
    assert messages()[0].body.startswith("Acme Roofing: Somebody comes in 1 minute.")


@pytest.mark.parametrize(
    ("own", "problem"),
    [
        ("{rep} comes.", "Not every appointment has a rep. Write what to say instead: {rep|…}."),
        ("In {minute}.", "Did you mean {minutes}?"),
        ("On {day}.", "{day} isn't a placeholder."),
    ],
)
def test_own_text_that_can_not_be_filled_in_is_refused(own, problem, manager_api):
    answer = manager_api.patch("/api/v1/company", {"on_the_way_text": own})
    assert answer.status_code == 400
    assert problem in errors_of(answer)["on_the_way_text"][0]
