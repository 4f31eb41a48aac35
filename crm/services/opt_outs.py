"""Opt-outs, and the contact flags and withdrawn consents that follow from them, written in one transaction.

Rows are locked in the same order everywhere: opt-outs by hash, then the contact, then its flag. So two workers that
process a STOP and a START at once wait for each other. Sending takes no lock: it reads what is committed when a message
leaves.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from crm.choices import Channel, FlagType, MembershipStatus, OptOutAction, OptOutState, ReviewState
from crm.db.tenancy import current_company_id
from crm.error_codes import ErrorCode
from crm.models import (
    Activity,
    CampaignMembership,
    Contact,
    ContactFlag,
    ContactPhone,
    MarketingConsent,
    OptOut,
    OptOutEntry,
    User,
)
from crm.models.audit import hash_number
from crm.querysets import OptOutQuerySet
from crm.refusals import Refusal

REASONS = {
    OptOutState.OPTED_OUT: "Opted out of messages.",
    OptOutState.UNDER_REVIEW: "Possible opt-out, under review.",
}


class NotUnderReview(Refusal):
    """The opt-out needs no review."""

    code = ErrorCode.NOT_UNDER_REVIEW


def lock_opt_out(*, phone: str) -> OptOut:
    """Return the opt-out row of this number (E.164, or as sent), created if missing and locked in this transaction."""
    opt_out, _ = OptOut.objects.select_for_update().get_or_create(
        company_id=current_company_id(),
        number_hash=hash_number(phone),
        channel=Channel.SMS,
        defaults={"phone": phone},
    )
    if not opt_out.phone:  # the person was erased and is back
        opt_out.phone = phone
        opt_out.save(update_fields=["phone"])
    return opt_out


def lock_opt_outs_of(*, contact: Contact) -> None:
    """Lock the opt-outs of a contact's numbers, then the contact, for a change of its opt-out flag."""
    with transaction.atomic():
        for phone in sorted(_numbers_of(contact), key=hash_number):
            lock_opt_out(phone=phone)
        Contact.objects.select_for_update(no_key=True).get(pk=contact.pk)


def record_opt_out(*, phone: str, **evidence: Any) -> bool:
    """Record an opt-out of this number, E.164. Return whether its state changed.

    An activity is recorded once. An entry older than the latest one doesn't change the state.

    Args:
        evidence: words, source, occurred_at, and if known activity and user, as in OptOutEntry.
    """
    return _record([phone], OptOutAction.OPTED_OUT, **evidence)


def flag_possible_opt_out(*, phone: str, **evidence: Any) -> bool:
    """Record a possible opt-out, which blocks messages until a user reviews it. Return whether the state changed."""
    return _record([phone], OptOutAction.SUSPECTED, **evidence)


def record_opt_in(*, phone: str, **evidence: Any) -> bool:
    """Record an opt-in. Return whether the state changed.

    It also ends a review, since a later explicit opt-in outweighs a guess. It is kept for numbers without an opt-out,
    too, because an earlier STOP may still arrive.
    """
    return _record([phone], OptOutAction.OPTED_IN, **evidence)


def opt_out_contact(
    *, contact: Contact, user: User | None, reason: str = "", source: str = "", evidence: str = ""
) -> ContactFlag:
    """Opt out all numbers of a contact on behalf of a user. Return the flag."""
    source = source or "manual"
    with transaction.atomic():
        words = evidence or reason
        _record(
            _numbers_of(contact),
            OptOutAction.OPTED_OUT,
            words=words,
            source=source,
            occurred_at=timezone.now(),
            user=user,
        )
        flag = contact.flags.opted_out().latest("id")
        flag.reason, flag.source, flag.evidence = reason or flag.reason, source, evidence
        flag.save(update_fields=["reason", "source", "evidence"])
    return flag


def opt_in_contact(*, contact: Contact, user: User | None, words: str = "") -> None:
    """Opt in all numbers of a contact on behalf of a user."""
    phones = _numbers_of(contact)
    _record(phones, OptOutAction.OPTED_IN, words=words, source="manual", occurred_at=timezone.now(), user=user)


def confirm_opt_out(*, opt_out: OptOut, user: User | None) -> OptOut:
    """Confirm that the words under review are an opt-out. Raises NotUnderReview."""
    return _review(opt_out, OptOutAction.OPTED_OUT, user)


def dismiss_opt_out(*, opt_out: OptOut, user: User | None) -> OptOut:
    """Decide that the words under review aren't an opt-out. Raises NotUnderReview."""
    return _review(opt_out, OptOutAction.DISMISSED, user)


def end_opt_out(*, opt_out: OptOut, user: User | None, reason: str) -> OptOut:
    """End an opt-out in force or under review on behalf of a user, who knows that the person wants messages again."""
    with transaction.atomic():
        opt_out = OptOut.objects.select_for_update().get(pk=opt_out.pk)
        _add_entry(opt_out, OptOutAction.OPTED_IN, reason, "manual", timezone.now(), None, user)
        _sync_owners([opt_out])
    return opt_out


def sync_opt_out_flags(*, contact: Contact) -> bool:
    """Set the contact's flag from the opt-outs of its numbers, and end its pending campaign memberships.

    Returns False if the contact is gone.

    A membership whose message is being sent is skipped: the send policy checks opt-outs anyway, and waiting here would
    deadlock.
    """
    with transaction.atomic():
        # Another number of the contact may change as well.
        if not Contact.objects.select_for_update(no_key=True).filter(pk=contact.pk).values_list("pk").first():
            return False  # deleted or merged meanwhile
        states = set(opt_outs_of(contact).exclude(state=OptOutState.CLEAR).values_list("state", flat=True))
        if not states:
            ContactFlag.objects.opted_out().filter(contact=contact).update(expires_at=timezone.now())
            return True
        is_confirmed = OptOutState.OPTED_OUT in states
        state = OptOutState.OPTED_OUT if is_confirmed else OptOutState.UNDER_REVIEW
        review_state = ReviewState.CONFIRMED if is_confirmed else ReviewState.PENDING
        flag, _ = ContactFlag.objects.get_or_create(
            company_id=contact.company_id,
            contact=contact,
            flag_type=FlagType.OPTED_OUT,
            expires_at=None,
            defaults={"review_state": review_state, "reason": REASONS[state], **_evidence_of(contact, state)},
        )
        if flag.review_state != review_state:
            flag.review_state, flag.reason = review_state, REASONS[state]
            flag.save(update_fields=["review_state", "reason"])
        pending = CampaignMembership.objects.filter(contact=contact, status=MembershipStatus.PENDING)
        CampaignMembership.objects.filter(
            pk__in=[row.pk for row in pending.select_for_update(skip_locked=True)]
        ).update(status=MembershipStatus.OPTED_OUT, reason=REASONS[state])
    return True


def opt_outs_of(*contacts: Contact) -> OptOutQuerySet:
    """Return the opt-outs of the contacts' numbers."""
    hashes = [hash_number(phone) for phone in _numbers_of(*contacts)]
    return OptOut.objects.filter(company__in={contact.company_id for contact in contacts}, number_hash__in=hashes)


def _record(
    phones: Iterable[str],
    action: OptOutAction,
    *,
    words: str,
    source: str,
    occurred_at: datetime,
    activity: Activity | None = None,
    user: User | None = None,
) -> bool:
    """Add an entry for each number, and update states and flags. Return whether any state changed."""
    with transaction.atomic():
        opt_outs = [lock_opt_out(phone=phone) for phone in sorted(phones, key=hash_number)]
        before = [opt_out.state for opt_out in opt_outs]
        for opt_out in opt_outs:
            _add_entry(opt_out, action, words, source, occurred_at, activity, user)
        _sync_owners(opt_outs)
        return before != [opt_out.state for opt_out in opt_outs]


def _review(opt_out: OptOut, action: OptOutAction, user: User | None) -> OptOut:
    """Add an entry about the message under review, with its time: a confirmed opt-out counts from then."""
    with transaction.atomic():
        opt_out = OptOut.objects.select_for_update().get(pk=opt_out.pk)
        if opt_out.state != OptOutState.UNDER_REVIEW:
            raise NotUnderReview
        suspicions = _open_suspicions(list(opt_out.entries.all()))
        reviewed = suspicions[-1] if suspicions else OptOutEntry(occurred_at=opt_out.decided_at or timezone.now())
        _add_entry(opt_out, action, reviewed.words, "review", reviewed.occurred_at, reviewed.activity, user)
        _sync_owners([opt_out])
    return opt_out


def _add_entry(
    opt_out: OptOut,
    action: OptOutAction,
    words: str,
    source: str,
    occurred_at: datetime,
    activity: Activity | None,
    user: User | None,
) -> None:
    occurred_at = min(occurred_at, timezone.now())  # a provider's clock that is ahead must not decide for ever
    entries = OptOutEntry.objects.filter(opt_out=opt_out)
    same = {"activity": activity} if activity else {"words": words, "source": source, "occurred_at": occurred_at}
    existing = entries.filter(action=action, **same).first()
    if existing is None:
        OptOutEntry.objects.create(
            company_id=opt_out.company_id,
            opt_out=opt_out,
            action=action,
            words=words,
            source=source,
            activity=activity,
            created_by=user,
            occurred_at=occurred_at,
        )
    elif occurred_at < existing.occurred_at:  # a provider that sends no time of its own sent the event twice
        existing.occurred_at = occurred_at
        existing.save(update_fields=["occurred_at"])
    else:
        return
    if action == OptOutAction.OPTED_OUT:
        consents: Any = MarketingConsent.objects.filter(company=opt_out.company_id)
        consents.withdraw(number_hash=opt_out.number_hash, at=occurred_at)
    opt_out.state, opt_out.decided_at = _decide(list(entries))
    opt_out.save(update_fields=["state", "decided_at"])


def _decide(entries: list[OptOutEntry]) -> tuple[str, datetime]:
    """Return the state that follows from all entries, in any order of arrival, and its time."""
    last = _latest_explicit_entry(entries)
    if last and last.action == OptOutAction.OPTED_OUT:
        return OptOutState.OPTED_OUT, last.occurred_at
    if suspicions := _open_suspicions(entries):
        return OptOutState.UNDER_REVIEW, suspicions[-1].occurred_at
    return OptOutState.CLEAR, max(entry.occurred_at for entry in entries)


def _latest_explicit_entry(entries: list[OptOutEntry]) -> OptOutEntry | None:
    """Return the latest opt-out or opt-in; of two at the same instant the opt-out."""
    explicit = [entry for entry in entries if entry.action in (OptOutAction.OPTED_OUT, OptOutAction.OPTED_IN)]
    return max(explicit, key=lambda entry: (entry.occurred_at, entry.action == OptOutAction.OPTED_OUT), default=None)


def _open_suspicions(entries: list[OptOutEntry]) -> list[OptOutEntry]:
    """Return possible opt-outs without a decision, by time.

    A dismissal covers the entries that were there when it was made, not an earlier message that arrives later.
    """
    last = _latest_explicit_entry(entries)
    dismissed = max((entry.pk for entry in entries if entry.action == OptOutAction.DISMISSED), default=0)
    return sorted(
        (
            entry
            for entry in entries
            if entry.action == OptOutAction.SUSPECTED
            and entry.pk > dismissed
            and (last is None or entry.occurred_at >= last.occurred_at)
        ),
        key=lambda entry: (entry.occurred_at, entry.pk),
    )


def _sync_owners(opt_outs: list[OptOut]) -> None:
    phones = [opt_out.phone for opt_out in opt_outs]
    owners = ContactPhone.objects.filter(phone__in=phones).values("contact")
    contacts = Contact.objects.filter(Q(pk__in=owners) | Q(phone__in=phones))
    for contact in contacts.order_by("pk"):  # in one order, so that two workers don't deadlock
        if not sync_opt_out_flags(contact=contact):
            _sync_owners(opt_outs)  # it was merged while its lock was waited for: the number has another owner
            return


def _numbers_of(*contacts: Contact) -> set[str]:
    others = ContactPhone.objects.filter(contact__in=contacts).values_list("phone", flat=True)
    return {*others, *(contact.phone for contact in contacts)}


def _evidence_of(contact: Contact, state: str) -> dict[str, Any]:
    """Return the evidence of a new flag: the latest entry on any of the contact's numbers.

    An opt-out that other programs wrote without an entry blocks messages all the same.
    """
    action = OptOutAction.OPTED_OUT if state == OptOutState.OPTED_OUT else OptOutAction.SUSPECTED
    entries = OptOutEntry.objects.filter(opt_out__in=opt_outs_of(contact), action=action)
    entry = entries.order_by("-occurred_at", "-id").first()
    return {"source": entry.source, "evidence": entry.words, "created_by_id": entry.created_by_id} if entry else {}
