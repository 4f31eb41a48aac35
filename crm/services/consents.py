"""Consents to marketing messages: recorded with their evidence, and withdrawn."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from crm.choices import OptOutAction
from crm.error_codes import ErrorCode
from crm.models import MarketingConsent, OptOut, OptOutEntry, User
from crm.refusals import Refusal
from crm.services.contacts import check_number_is_outside
from crm.services.opt_outs import lock_opt_out


class LaterConsent(Refusal):
    """A later consent of the number is recorded, which proves more."""

    code, attr = ErrorCode.LATER_CONSENT, "given_at"


class NotValid(Refusal):
    """The consent is withdrawn already."""

    code = ErrorCode.CONSENT_WITHDRAWN


def record_consent(
    *,
    phone: str,
    source: str,
    wording: str,
    proof: str = "",
    given_at: datetime | None = None,
    user: User | None = None,
) -> MarketingConsent:
    """Record the consent of a number, E.164. It replaces an earlier one, which the audit entries keep.

    Times decide, in any order of arrival: an opt-out after `given_at` has withdrawn it, an earlier one hasn't. A time
    in the future counts as now. Recording the same consent again changes nothing.

    Args:
        proof: where the proof is. May be empty if `source` is PERSON: `user` is the witness.

    Raises:
        LaterConsent: nothing is changed.
        OwnNumber: the number is one of the company's phone lines.
    """
    now = timezone.now()
    given_at = min(given_at or now, now)
    with transaction.atomic():
        # Opt-outs lock the same row first: one that is being recorded is seen here, or withdraws this consent.
        opt_out = lock_opt_out(phone=phone)
        check_number_is_outside(company_id=opt_out.company_id, phone=phone)
        same_number = {"company_id": opt_out.company_id, "number_hash": opt_out.number_hash}
        consent = MarketingConsent.objects.select_for_update(no_key=True).filter(**same_number).first()
        if consent is None:
            consent = MarketingConsent(**same_number)
        elif given_at < consent.given_at:
            raise LaterConsent
        elif (given_at, phone, source, wording, proof) == _evidence_of(consent):
            return consent
        consent.withdrawn_at = _withdrawal_after(given_at, consent, opt_out)
        consent.phone, consent.source, consent.wording, consent.proof = phone, source, wording, proof
        consent.given_at, consent.recorded_by = given_at, user
        consent.save()
    return consent


def withdraw_consent(*, consent: MarketingConsent) -> MarketingConsent:
    """Withdraw a consent on behalf of a user; other messages may still be sent. Raises NotValid."""
    with transaction.atomic():
        valid = MarketingConsent.objects.valid().select_for_update(no_key=True).filter(pk=consent.pk).first()
        if valid is None:
            raise NotValid
        # A later consent, for which the lock may have waited, is withdrawn at the earliest when it was given.
        valid.withdrawn_at = max(timezone.now(), valid.given_at)
        valid.save(update_fields=["withdrawn_at"])
    return valid


def _evidence_of(consent: MarketingConsent) -> tuple[datetime, str, str, str, str]:
    return consent.given_at, consent.phone, consent.source, consent.wording, consent.proof


def _withdrawal_after(given_at: datetime, former: MarketingConsent, opt_out: OptOut) -> datetime | None:
    """Return the time of the first opt-out or withdrawal since `given_at`; None if the consent is valid."""
    stops = OptOutEntry.objects.filter(opt_out=opt_out, action=OptOutAction.OPTED_OUT, occurred_at__gte=given_at)
    times = [*stops.order_by("occurred_at").values_list("occurred_at", flat=True)[:1], former.withdrawn_at]
    return min((time for time in times if time is not None and time >= given_at), default=None)
