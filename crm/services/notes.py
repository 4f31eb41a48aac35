"""Notes: their author changes them, and deletes them, as managers do. Other activities are evidence, and stay."""

from crm.choices import ActivityType, Role
from crm.error_codes import ErrorCode
from crm.models import Activity, Contact, Conversation, User
from crm.refusals import Refusal
from crm.services.mentions import mention_colleagues


class NotANote(Refusal):
    """Another activity than a note."""

    code = ErrorCode.NOT_A_NOTE


class NotYours(Refusal):
    """A note of another author."""

    code = ErrorCode.NOT_YOURS


def add_note(*, contact: Contact, body: str, user: User, conversation: Conversation | None = None) -> Activity:
    """Add a note to a contact's history. A colleague whom it names is told."""
    note = Activity.objects.create(
        company_id=contact.company_id, contact=contact, conversation=conversation, user=user,
        activity_type=ActivityType.NOTE, body=body,
    )  # fmt: skip
    mention_colleagues(note=note)
    return note


def change_note(*, note: Activity, body: str, user: User) -> Activity:
    """Change the text of a note. Raises NotANote, NotYours."""
    check_is_note(note)
    if note.user_id != user.pk:
        raise NotYours("Only its author may change a note; write a note of your own.")
    before, note.body = note.body, body
    note.save(update_fields=["body"])
    mention_colleagues(note=note, before=before)
    return note


def delete_note(*, note: Activity, user: User) -> None:
    """Delete a note. Raises NotANote, NotYours."""
    check_is_note(note)
    if note.user_id != user.pk and user.role != Role.MANAGER:
        raise NotYours("Only its author or a manager may delete a note.")
    note.delete()


def check_is_note(activity: Activity) -> None:
    """Raise NotANote for an activity of another type."""
    if activity.activity_type != ActivityType.NOTE:
        raise NotANote
