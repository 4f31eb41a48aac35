"""Contact flags that users set and end. An `opted_out` flag is written through the opt-out services."""

from django.utils import timezone

from crm.choices import FlagType
from crm.error_codes import ErrorCode
from crm.models import ContactFlag, User
from crm.refusals import Refusal
from crm.services.opt_outs import opt_in_contact, opt_out_contact


class FlagRefused(Refusal):
    """The flag can't be saved, because of the value of `attr`."""

    code = ErrorCode.NOT_ALLOWED


def check_flag(*, before: ContactFlag | None, after: ContactFlag) -> None:
    """Raise FlagRefused if the change isn't allowed: opt-outs can only be set and ended."""
    if FlagType.OPTED_OUT not in (after.flag_type, before and before.flag_type):
        return
    if before and (before.flag_type, before.contact_id) != (after.flag_type, after.contact_id):
        raise FlagRefused(
            "An opt-out's type and contact can't be changed; end it and set another flag.", attr="flag_type"
        )
    if before and before.expires_at and before.expires_at != after.expires_at:
        raise FlagRefused(
            "This opt-out has ended and can't be changed; set a new flag for a new opt-out.", attr="expires_at"
        )
    if after.expires_at and not (before and before.expires_at) and (not before or after.expires_at > timezone.now()):
        raise FlagRefused("An opt-out can't end at a future time; end it when the contact opts in.", attr="expires_at")


def save_flag(*, flag: ContactFlag, user: User) -> ContactFlag:
    """Save a new or changed flag that `check_flag` has allowed, for this user."""
    if flag.flag_type != FlagType.OPTED_OUT:
        flag.save()
        return flag
    if flag.pk is None:
        return opt_out_contact(
            contact=flag.contact, user=user, reason=flag.reason, source=flag.source, evidence=flag.evidence
        )
    flag.save(update_fields=["reason", "source", "evidence"])
    if flag.expires_at and ContactFlag.objects.filter(pk=flag.pk, expires_at=None).exists():
        opt_in_contact(contact=flag.contact, user=user)
        flag.refresh_from_db()
    return flag
