"""Colleagues whom a note names, such as `@carla`."""

import re

from crm.models import Activity, User
from crm.signals import colleagues_mentioned

# Not within a word: ann@example.com names nobody. User names may have these characters, and a sentence ends with one.
_MENTION = re.compile(r"(?<![\w.@+-])@([\w.@+-]+)")


def mention_colleagues(*, note: Activity, before: str = "") -> None:
    """Tell the colleagues whom the note names, and whom it didn't name with the text `before`.

    Other words with an @ are plain text.
    """
    names = _names_in(note.body) - _names_in(before)
    if not names:
        return
    active = User.objects.filter(company=note.company_id, is_active=True).order_by("pk")
    colleagues = [user for user in active if user.username.lower() in names and user.pk != note.user_id]
    if colleagues:
        colleagues_mentioned.send(sender=Activity, note=note, colleagues=colleagues)


def _names_in(text: str) -> set[str]:
    """Return the names after an @, in small letters, each also without the punctuation at its end."""
    found = {name.lower() for name in _MENTION.findall(text)}
    return found | {name.rstrip(".+-@") for name in found}
