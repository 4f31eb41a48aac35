"""Flags that a person sets and ends by hand. One that says `opted_out` is written by way of the ledger."""

from django.utils import timezone

from crm.choices import FlagType
from crm.models import ContactFlag, User
from crm.services.opt_outs import opt_in_contact, opt_out_contact


class FlagRefused(Exception):
    """The flag can't be written so; `field` is to blame."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


def check_flag(*, before: ContactFlag | None, after: ContactFlag) -> None:
    """Whether a flag may be written as it is now; opt-outs are set and ended, no more. Raises FlagRefused."""
    if FlagType.OPTED_OUT not in (after.flag_type, before and before.flag_type):
        return
    if before and (before.flag_type, before.contact_id) != (after.flag_type, after.contact_id):
        raise FlagRefused("flag_type", "An opt-out stays what and whose it is; end it, and set another flag.")
    if before and before.expires_at and before.expires_at != after.expires_at:
        raise FlagRefused("expires_at", "This opt-out has ended. If they want no more texts again, set a new flag.")
    if after.expires_at and not (before and before.expires_at) and (not before or after.expires_at > timezone.now()):
        raise FlagRefused("expires_at", "An opt-out lasts until they want texts again: end it then, and not ahead.")


def save_flag(*, flag: ContactFlag, user: User) -> ContactFlag:
    """Write a checked flag, new or changed, as this user's doing."""
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
