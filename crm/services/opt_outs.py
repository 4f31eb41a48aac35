"""The ledger of who said stop, and the flags that follow from it: both are written in one transaction.

Rows are locked in the same order everywhere: the numbers' rows of the ledger by hash, then the contact, then its flag.
So two workers that hear a STOP and a START at once wait for one another, and whoever sends waits for both.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from crm.choices import Channel, FlagType, MembershipStatus, OptOutAction, OptOutState, ReviewState
from crm.db.tenancy import current_company_id
from crm.models import Activity, CampaignMembership, Contact, ContactFlag, ContactPhone, OptOut, OptOutEntry, User
from crm.models.audit import hash_number
from crm.querysets import OptOutQuerySet

REASONS = {
    OptOutState.OPTED_OUT: "Asked for no more texts.",
    OptOutState.UNDER_REVIEW: "Sounds like a wish to get no more texts.",
}


class NotUnderReview(Exception):
    """Nobody has to say any more whether this opt-out was meant."""

    def __init__(self) -> None:
        super().__init__("This is not under review any more.")


def lock_opt_out(*, phone: str) -> OptOut:
    """How this number, E.164, stands to texts of the company entered; locked until the transaction ends."""
    opt_out, _ = OptOut.objects.select_for_update().get_or_create(
        company_id=current_company_id(),
        number_hash=hash_number(phone),
        channel=Channel.SMS,
        defaults={"phone": phone},
    )
    if not opt_out.phone:  # they were erased, and are back
        opt_out.phone = phone
        opt_out.save(update_fields=["phone"])
    return opt_out


def record_opt_out(*, phone: str, **evidence: Any) -> bool:
    """Somebody with this number, E.164, wants no more texts. Whether that is news.

    Args:
        evidence: words, source, occurred_at, and if known the activity and the user, as in OptOutEntry. What the same
            activity said before is not said again. What is said of yesterday changes nothing about today.
    """
    return _record([phone], OptOutAction.OPTED_OUT, **evidence)


def flag_possible_opt_out(*, phone: str, **evidence: Any) -> bool:
    """What they said sounds like an opt-out: a person has to say whether it is, and until then it is one."""
    return _record([phone], OptOutAction.SUSPECTED, **evidence)


def record_opt_in(*, phone: str, **evidence: Any) -> bool:
    """They want texts again. Ends a review as well: their own plain word, said later, counts for more than our guess.

    Kept also of who is not out: a STOP that was said before may arrive after it.
    """
    return _record([phone], OptOutAction.OPTED_IN, **evidence)


def opt_out_contact(
    *, contact: Contact, user: User | None, reason: str = "", source: str = "", evidence: str = ""
) -> ContactFlag:
    """Somebody of us says that this contact wants no more texts, on any of its numbers. Returns the flag."""
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
    """Somebody of us says that this contact wants texts again."""
    phones = _numbers_of(contact)
    _record(phones, OptOutAction.OPTED_IN, words=words, source="manual", occurred_at=timezone.now(), user=user)


def confirm_opt_out(*, opt_out: OptOut, user: User | None) -> OptOut:
    """A person has read the words under review, and they are an opt-out. Raises NotUnderReview."""
    return _review(opt_out, OptOutAction.OPTED_OUT, user)


def dismiss_opt_out(*, opt_out: OptOut, user: User | None) -> OptOut:
    """A person has read the words under review, and they are no opt-out. Raises NotUnderReview."""
    return _review(opt_out, OptOutAction.DISMISSED, user)


def sync_opt_out_flags(*, contact: Contact) -> None:
    """Let the contact's flag say what the ledger says of its numbers, and take it out of campaigns if it is out.

    A campaign's text that is leaving at this instant is passed over: it has to go through the gate, which asks the
    ledger. To wait for it here would be to wait for one another.
    """
    with transaction.atomic():
        Contact.objects.select_for_update(no_key=True).get(pk=contact.pk)  # another number of theirs may change as well
        states = set(opt_outs_of(contact).exclude(state=OptOutState.CLEAR).values_list("state", flat=True))
        if not states:
            ContactFlag.objects.opted_out().filter(contact=contact).update(expires_at=timezone.now())
            return
        is_sure = OptOutState.OPTED_OUT in states
        state = OptOutState.OPTED_OUT if is_sure else OptOutState.UNDER_REVIEW
        review_state = ReviewState.CONFIRMED if is_sure else ReviewState.PENDING
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
        waiting = CampaignMembership.objects.filter(contact=contact, status=MembershipStatus.PENDING)
        CampaignMembership.objects.filter(
            pk__in=[row.pk for row in waiting.select_for_update(skip_locked=True)]
        ).update(status=MembershipStatus.OPTED_OUT, reason=REASONS[state])


def opt_outs_of(contact: Contact) -> OptOutQuerySet:
    """What the ledger holds of the contact's numbers."""
    hashes = [hash_number(phone) for phone in _numbers_of(contact)]
    return OptOut.objects.filter(company=contact.company_id, number_hash__in=hashes)


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
    """Append an entry for each number, and let its state and the flags follow. Whether any state has changed."""
    with transaction.atomic():
        opt_outs = [lock_opt_out(phone=phone) for phone in sorted(phones, key=hash_number)]
        before = [opt_out.state for opt_out in opt_outs]
        for opt_out in opt_outs:
            _append(opt_out, action, words, source, occurred_at, activity, user)
        _sync_owners(opt_outs)
        return before != [opt_out.state for opt_out in opt_outs]


def _review(opt_out: OptOut, action: OptOutAction, user: User | None) -> OptOut:
    """The answer names the message that it is about, and a confirmed opt-out dates from when that was said."""
    with transaction.atomic():
        opt_out = OptOut.objects.select_for_update().get(pk=opt_out.pk)
        if opt_out.state != OptOutState.UNDER_REVIEW:
            raise NotUnderReview
        asked = _open_suspicions(list(opt_out.entries.all()))[-1]
        _append(opt_out, action, asked.words, "review", asked.occurred_at, asked.activity, user)
        _sync_owners([opt_out])
    return opt_out


def _append(
    opt_out: OptOut,
    action: OptOutAction,
    words: str,
    source: str,
    occurred_at: datetime,
    activity: Activity | None,
    user: User | None,
) -> None:
    occurred_at = min(occurred_at, timezone.now())  # a clock that is ahead must not decide for ever
    entries = OptOutEntry.objects.filter(opt_out=opt_out)
    known = entries.filter(activity=activity, action=action).first() if activity else None
    if known is None:
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
    elif occurred_at < known.occurred_at:  # a provider that gives no time of its own has delivered it twice
        known.occurred_at = occurred_at
        known.save(update_fields=["occurred_at"])
    else:
        return
    opt_out.state, opt_out.decided_at = _decide(list(entries))
    opt_out.save(update_fields=["state", "decided_at"])


def _decide(entries: list[OptOutEntry]) -> tuple[str, datetime]:
    """The state that follows from all that was said, and since when, in whatever order we heard it."""
    last = _last_plain_word(entries)
    if last and last.action == OptOutAction.OPTED_OUT:
        return OptOutState.OPTED_OUT, last.occurred_at
    if suspicions := _open_suspicions(entries):
        return OptOutState.UNDER_REVIEW, suspicions[-1].occurred_at
    return OptOutState.CLEAR, max(entry.occurred_at for entry in entries)


def _last_plain_word(entries: list[OptOutEntry]) -> OptOutEntry | None:
    """Of two at the same instant the stop."""
    plain = [entry for entry in entries if entry.action in (OptOutAction.OPTED_OUT, OptOutAction.OPTED_IN)]
    return max(plain, key=lambda entry: (entry.occurred_at, entry.action == OptOutAction.OPTED_OUT), default=None)


def _open_suspicions(entries: list[OptOutEntry]) -> list[OptOutEntry]:
    """What sounds like a stop and nobody has answered yet, the latest said last.

    A dismissal is of what we had heard when it was made, not of what was said before it and arrives later.
    """
    last = _last_plain_word(entries)
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
    for contact in contacts.order_by("pk"):  # in one order, so that two of us don't wait for one another
        sync_opt_out_flags(contact=contact)


def _numbers_of(contact: Contact) -> set[str]:
    return {contact.phone, *ContactPhone.objects.filter(contact=contact).values_list("phone", flat=True)}


def _evidence_of(contact: Contact, state: str) -> dict[str, Any]:
    """What a new flag rests on: the latest of what was said on any of the contact's numbers."""
    action = OptOutAction.OPTED_OUT if state == OptOutState.OPTED_OUT else OptOutAction.SUSPECTED
    entry = OptOutEntry.objects.filter(opt_out__in=opt_outs_of(contact), action=action).latest("occurred_at", "id")
    return {"source": entry.source, "evidence": entry.words, "created_by_id": entry.created_by_id}
