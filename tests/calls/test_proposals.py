"""Other times that reps propose for their appointments, and what becomes of them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils.timezone import now

from calls.models import Appointment, AppointmentProposal
from calls.services.proposals import ProposalDecided, accept_proposal, decline_proposal
from crm.db.tenancy import all_tenants, tenant
from crm.models import AuditEntry
from tests import factories
from tests.conftest import postgres_only, signed_in
from tests.errors import code_of, codes_of

URL = "/api/v1/appointment-proposals"
START, END = "2026-03-09T18:00:00Z", "2026-03-09T19:00:00Z"


@pytest.fixture
def appointment(acme, rep):
    return factories.AppointmentFactory(contact__company=acme, assigned_rep=rep)


def propose(api, appointment, **values):
    return api.post(URL, {"appointment": appointment.pk, "scheduled_start": START, "scheduled_end": END, **values})


@pytest.fixture
def proposal(rep_api, appointment):
    response = propose(rep_api, appointment, note="The crane comes at noon.")
    assert response.status_code == 201, response.content
    return response.json()


def decide(api, proposal, decision, **body):
    return api.post(f"{URL}/{proposal['id']}/{decision}", body or None)


def start_of(appointment):
    appointment.refresh_from_db()
    return f"{appointment.scheduled_start:%Y-%m-%dT%H:%M:%SZ}"


def test_appointment_keeps_its_time_until_the_proposal_is_accepted(proposal, appointment, csr, csr_api):
    assert (proposal["status"], proposal["decided_by"]) == ("open", None)
    assert start_of(appointment) == "2026-03-02T16:00:00Z"
    row = decide(csr_api, proposal, "accept").json()
    assert (row["status"], row["decided_by"], row["decided_by_name"]) == ("accepted", csr.pk, str(csr))
    assert start_of(appointment) == START
    assert csr_api.get(f"{URL}/{proposal['id']}").json() == row


def test_acceptance_is_in_the_audit_of_the_appointment(proposal, appointment, csr, csr_api):
    decide(csr_api, proposal, "accept")
    with all_tenants():
        entry = AuditEntry.objects.filter(table_name="appointments", row_id=appointment.pk).latest("id")
    assert entry.actor_id == csr.pk
    assert {"scheduled_start", "scheduled_end"} <= entry.changes.keys()


def test_declined_proposal_changes_nothing(proposal, appointment, csr_api):
    assert decide(csr_api, proposal, "decline").json()["status"] == "declined"
    assert start_of(appointment) == "2026-03-02T16:00:00Z"


def test_rep_withdraws_a_proposal_and_makes_another(proposal, appointment, rep_api):
    assert code_of(propose(rep_api, appointment)) == "unique"
    assert decide(rep_api, proposal, "withdraw").json()["status"] == "withdrawn"
    assert propose(rep_api, appointment).status_code == 201


@pytest.mark.parametrize("first", ["accept", "decline", "withdraw"])
def test_decision_is_final(first, proposal, rep_api, csr_api):
    apis = {"accept": csr_api, "decline": csr_api, "withdraw": rep_api}
    assert decide(apis[first], proposal, first).status_code == 200
    for decision, api in apis.items():
        again = decide(api, proposal, decision)
        assert (again.status_code, code_of(again)) == (409, "proposal_decided")


def test_taken_slot_leaves_the_proposal_open(proposal, appointment, rep, csr_api):
    other = factories.AppointmentFactory(
        contact__company=rep.company, assigned_rep=rep, scheduled_start=START, scheduled_end=END
    )
    refused = decide(csr_api, proposal, "accept")
    assert (refused.status_code, code_of(refused)) == (409, "slot_taken")
    assert refused.json()["appointment"]["id"] == other.pk
    assert csr_api.get(f"{URL}/{proposal['id']}").json()["status"] == "open"
    assert decide(csr_api, proposal, "accept", allow_overlap=True).json()["status"] == "accepted"
    assert start_of(appointment) == START


def test_cancelled_appointment_is_not_moved(proposal, appointment, csr_api, rep_api):
    with all_tenants():
        Appointment.objects.update(status="cancelled")  # by a program that knows no proposals
    assert code_of(decide(csr_api, proposal, "accept")) == "not_coming"
    decide(csr_api, proposal, "decline")
    assert code_of(propose(rep_api, appointment)) == "not_coming"


@pytest.mark.parametrize(
    "change",
    [
        {"status": "cancelled"},
        {"status": "completed"},
        {"scheduled_start": "2026-03-04T18:00:00Z", "scheduled_end": "2026-03-04T19:00:00Z"},
    ],
    ids=["cancelled", "over", "moved"],
)
def test_move_or_end_of_the_appointment_withdraws_the_open_proposal(change, proposal, appointment, csr, csr_api):
    assert csr_api.patch(f"/api/v1/appointments/{appointment.pk}", change).status_code == 200
    row = csr_api.get(f"{URL}/{proposal['id']}").json()
    assert (row["status"], row["decided_by"]) == ("withdrawn", csr.pk)
    assert code_of(decide(csr_api, proposal, "accept")) == "proposal_decided"


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ({"scheduled_start": "2062-03-09T18:00:00Z", "scheduled_end": "2062-03-09T19:00:00Z"}, ["scheduled_start"]),
        ({"scheduled_end": START}, ["scheduled_end"]),
        ({"scheduled_start": None}, ["scheduled_start"]),
        ({"status": "accepted"}, ["status"]),
    ],
    ids=["in another decade", "no length", "no start", "decided"],
)
def test_implausible_proposal_is_refused(values, codes, rep_api, appointment):
    assert list(codes_of(propose(rep_api, appointment, **values))) == codes


def test_rep_proposes_for_own_appointments_only(rep_api, acme, csr_api):
    assert codes_of(propose(rep_api, factories.AppointmentFactory(contact__company=acme))) == {
        "appointment": ["does_not_exist"]
    }
    assert propose(csr_api, factories.AppointmentFactory(contact__company=acme)).status_code == 403


def test_open_proposals_are_a_notice_that_leads_to_them(proposal, csr_api, manager_api):
    for api in (csr_api, manager_api):
        [notice] = [each for each in api.get("/api/v1/notices").json()["notices"] if "proposals" in each["kind"]]
        assert (notice["kind"], notice["count"]) == ("reschedule_proposals", 1)
        assert [row["id"] for row in api.get(notice["url"]).json()["results"]] == [proposal["id"]]
    decide(csr_api, proposal, "decline")
    assert csr_api.get("/api/v1/notices").json()["notices"] == []


def test_acceptance_answers_the_contact_s_request_for_another_time(acme, rep, rep_api, csr_api):
    start = now() + timedelta(days=2)
    coming = factories.AppointmentFactory(contact__company=acme, assigned_rep=rep, scheduled_start=start)
    factories.AppointmentReminderFactory(appointment=coming, answer="reschedule", answered_at=now())
    later = {"scheduled_start": start + timedelta(days=1), "scheduled_end": start + timedelta(days=1, hours=1)}
    proposal = propose(rep_api, coming, **{name: at.isoformat() for name, at in later.items()}).json()
    requests = "/api/v1/appointment-reminders?reschedule=true"
    assert len(csr_api.get(requests).json()["results"]) == 1
    assert decide(csr_api, proposal, "accept").status_code == 200
    assert csr_api.get(requests).json()["results"] == []


def test_other_company_sees_no_proposal(proposal, outsider_api):
    assert outsider_api.get(URL).json()["results"] == []
    assert decide(outsider_api, proposal, "accept").status_code == 404


def test_another_rep_ends_the_open_proposal(proposal, appointment, acme, csr, csr_api, rep_api):
    other = factories.UserFactory(company=acme, role="rep")
    csr_api.patch(f"/api/v1/appointments/{appointment.pk}", {"assigned_rep": other.pk})
    row = csr_api.get(f"{URL}/{proposal['id']}").json()
    assert (row["status"], row["decided_by"]) == ("withdrawn", csr.pk)
    assert propose(signed_in(other), appointment).status_code == 201


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_of_two_decisions_at_once_one_counts():
    proposal = factories.AppointmentProposalFactory()
    user = factories.UserFactory(company=proposal.company)
    start = threading.Barrier(2)

    def decide_now(decision):
        start.wait(timeout=10)
        try:
            with tenant(proposal.company_id):
                decision(proposal=proposal, user=user)
        except ProposalDecided:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(decide_now, [accept_proposal, decline_proposal])) == [False, True]
    with all_tenants():
        row, moved = AppointmentProposal.objects.get(), Appointment.objects.get().scheduled_start
    assert (row.status == "accepted") is (moved == proposal.scheduled_start)


def test_staff_accept_on_the_page_of_the_proposal(proposal, appointment, staff_client):
    page = f"/admin/calls/appointmentproposal/{proposal['id']}"
    assert "Accept and move the appointment" in staff_client.get(f"{page}/change/").content.decode()
    staff_client.post(f"{page}/decide", {"accept": "1"})
    assert start_of(appointment) == START
    assert "Accept and move the appointment" not in staff_client.get(f"{page}/change/").content.decode()


def test_staff_decline_on_the_page_of_the_proposal(proposal, appointment, staff_client):
    staff_client.post(f"/admin/calls/appointmentproposal/{proposal['id']}/decide", {"decline": "1"})
    assert start_of(appointment) == "2026-03-02T16:00:00Z"


def test_contact_and_status_choose_proposals(proposal, appointment, acme, csr_api):
    stranger = factories.ContactFactory(company=acme)
    for query, found in [
        (f"contact={appointment.contact_id}", 1), (f"contact={stranger.pk}", 0), ("status=open", 1),
        ("status=declined", 0), (f"appointment={appointment.pk}", 1),
    ]:  # fmt: skip
        assert len(csr_api.get(f"{URL}?{query}").json()["results"]) == found, query


def test_rep_sees_own_proposals_only(proposal, rep_api, acme):
    colleague = signed_in(factories.UserFactory(company=acme, role="rep"))
    assert len(rep_api.get(URL).json()["results"]) == 1
    assert colleague.get(URL).json()["results"] == []
