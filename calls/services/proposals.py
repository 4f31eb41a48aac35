"""Other times that reps propose for their appointments, and the decisions about them."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from calls.choices import COMING, ProposalStatus
from calls.models import Appointment, AppointmentProposal
from calls.services.booking import NotComing, change_appointment, check_start
from crm.error_codes import ErrorCode
from crm.models import User
from crm.refusals import Refusal


class ProposalDecided(Refusal):
    """The proposal is not open any more."""

    code = ErrorCode.PROPOSAL_DECIDED


def propose_time(
    *, appointment: Appointment, user: User, scheduled_start: datetime, scheduled_end: datetime, note: str = ""
) -> AppointmentProposal:
    """Propose another time for an appointment. It stays as it is until somebody accepts.

    Raises:
        NotComing: the appointment is cancelled or over.
        StartOutOfRange: the start is too far away.
    """
    if appointment.status not in COMING:
        raise NotComing
    check_start(scheduled_start)
    return AppointmentProposal.objects.create(
        company_id=appointment.company_id,
        appointment=appointment,
        scheduled_start=scheduled_start,
        scheduled_end=scheduled_end,
        note=note,
        created_by=user,
    )


def accept_proposal(*, proposal: AppointmentProposal, user: User, allow_overlap: bool = False) -> None:
    """Move the appointment to the proposed time. Its reminders follow, as with any move.

    Raises:
        ProposalDecided: somebody was faster.
        NotComing: the appointment was cancelled, or is over.
        SlotTaken: the rep has another appointment then, and `allow_overlap` is not given.
    """
    with transaction.atomic():
        # Lock order: appointment, then proposal.
        appointment = Appointment.objects.select_for_update(of=("self",)).get(pk=proposal.appointment_id)
        _decide(proposal, ProposalStatus.ACCEPTED, user)
        if appointment.status not in COMING:
            raise NotComing
        change_appointment(
            appointment=appointment,
            user=user,
            scheduled_start=proposal.scheduled_start,
            scheduled_end=proposal.scheduled_end,
            allow_overlap=allow_overlap,
        )


def decline_proposal(*, proposal: AppointmentProposal, user: User) -> None:
    """Leave the appointment as it is. Raises ProposalDecided."""
    _decide(proposal, ProposalStatus.DECLINED, user)


def withdraw_proposal(*, proposal: AppointmentProposal, user: User) -> None:
    """Take the proposal back. Raises ProposalDecided."""
    _decide(proposal, ProposalStatus.WITHDRAWN, user)


def _decide(proposal: AppointmentProposal, status: ProposalStatus, user: User) -> None:
    """Set the status of an open proposal. Of two decisions at once, one raises ProposalDecided."""
    waiting = AppointmentProposal.objects.open().filter(pk=proposal.pk)
    if not waiting.update(status=status, decided_by=user, decided_at=timezone.now()):
        raise ProposalDecided
