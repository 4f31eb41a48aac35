"""Forms of a conversation's page."""

from datetime import datetime, timedelta
from typing import Any, cast
from uuid import uuid4
from zoneinfo import ZoneInfo

from django import forms
from django.utils.timezone import now

from crm.admin.base.wall_clock import LocalTimeFormField, shown_in
from crm.form_fields import RowFormField
from crm.models import Conversation, PhoneLine, User
from crm.services.inbox import assignable_users
from messaging.models import Message
from messaging.services.outbound.send_policy import MAX_BODY
from messaging.sms_segments import GSM_7, GSM_7_EXTENSION, GSM_7_SEGMENT, UCS_2_SEGMENT

MORNING = 9  # the hour at which a snooze ends, unless another time is chosen
MAX_COLLEAGUES = 90  # a company with more has names that staff look for on its page


def count_rules() -> dict[str, str]:
    """Return what the page needs to count SMS segments as the server does (messaging/reply.js)."""
    return {
        "data-gsm7": "".join(sorted(GSM_7)),
        "data-gsm7-extension": "".join(sorted(GSM_7_EXTENSION)),
        "data-gsm7-segment": ",".join(map(str, GSM_7_SEGMENT)),
        "data-ucs2-segment": ",".join(map(str, UCS_2_SEGMENT)),
    }


def new_key() -> str:
    """Return a key for one text: a form that is sent twice queues it once."""
    return str(uuid4())


class TextFormField(forms.CharField):
    """The text of a message. A line ends with one character, though browsers send two."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return text.replace("\r\n", "\n") if text else text


class ReplyForm(forms.Form):
    """A text that leaves at once, or with the button of `later` at a time."""

    body = TextFormField(
        max_length=MAX_BODY,
        label="Reply",
        error_messages={"required": "Write the text first."},
        widget=forms.Textarea(attrs={"rows": 4, "aria-describedby": "reply-count", **count_rules()}),
    )
    send_at = LocalTimeFormField(label="Send at", required=False)
    hold_if_reply = forms.BooleanField(label="Hold it if the contact writes before", required=False, initial=True)
    key = forms.RegexField(r"^[!-~]{1,100}$", widget=forms.HiddenInput)

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("key", new_key())
        self.is_later = "_later" in self.data
        time = cast(LocalTimeFormField, self.fields["send_at"])
        time.set_zone(zone)
        time.required = self.is_later
        time.error_messages["required"] = "Choose the day and the time."

    def clean(self) -> dict[str, Any]:
        """Refuse to send at once what has a time: the Enter key in its box presses the first button."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("send_at") and not self.is_later:
            self.add_error("send_at", "Press Schedule to send it then, or empty the time to send it now.")
        return cleaned

    @property
    def shows_time(self) -> bool:
        return self.is_later or (self.is_bound and "send_at" in self.errors)

    @property
    def later(self) -> dict[str, Any]:
        """The arguments of `queue_reply` for a text that leaves later; none for one that leaves at once."""
        return {name: self.cleaned_data[name] for name in ("send_at", "hold_if_reply")} if self.is_later else {}


class ScheduledForm(forms.Form):
    """The text and the time of a message that leaves later, while it is queued."""

    body = TextFormField(max_length=MAX_BODY, label="Text", widget=forms.Textarea(attrs={"rows": 3}))
    send_at = LocalTimeFormField(label="Send at")

    def __init__(self, data: Any = None, *, message: Message, zone: ZoneInfo) -> None:
        shown = shown_in(cast(datetime, message.send_at), zone).replace(second=0, microsecond=0)
        initial = {"body": message.body, "send_at": shown}
        super().__init__(data, initial=initial, prefix=f"scheduled-{message.pk}")
        self.message = message
        cast(LocalTimeFormField, self.fields["send_at"]).set_zone(zone)

    @property
    def changed(self) -> dict[str, Any]:
        """The arguments of `change_scheduled`."""
        return {name: self.cleaned_data[name] for name in self.changed_data}

    @property
    def leaves_at(self) -> datetime:
        """The time as it is then: to the second, if nobody has changed it."""
        is_changed = "send_at" in self.changed_data
        return cast(datetime, self.cleaned_data["send_at"] if is_changed else self.message.send_at)


class SnoozeForm(forms.Form):
    until = LocalTimeFormField(label="Snooze until", required=False)

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tomorrow = shown_in(now(), zone).replace(hour=MORNING, minute=0, second=0, microsecond=0) + timedelta(days=1)
        self.initial.setdefault("until", tomorrow)
        ends = " A message or call of the contact ends it sooner; without a time, nothing else does."
        cast(LocalTimeFormField, self.fields["until"]).set_zone(zone, also=ends)


class FirstTextForm(ReplyForm):
    """The first text to a contact: over one of the company's lines."""

    phone_line = RowFormField(PhoneLine._base_manager.none(), label="From the phone line")

    field_order = ("phone_line", "body")

    def __init__(self, *args: Any, company_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["body"].label = "Text"
        lines = PhoneLine.objects.filter(company=company_id).order_by("id")[:MAX_COLLEAGUES]
        field: Any = self.fields["phone_line"]
        field.queryset = PhoneLine.objects.filter(pk__in=[line.pk for line in lines]).order_by("id")
        if len(lines) == 1:
            self.initial["phone_line"] = lines[0].pk


class AssignForm(forms.Form):
    assignee = forms.ChoiceField(required=False, label="Assigned to")

    def __init__(self, *args: Any, conversation: Conversation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        present = [conversation.assignee] if conversation.assignee else []
        found = [*present, *assignable_users(conversation.company_id)[:MAX_COLLEAGUES]]
        self.colleagues = {str(user.pk): user for user in found}
        choices = [("", "Nobody"), *((pk, f"{user}") for pk, user in self.colleagues.items())]
        cast(forms.ChoiceField, self.fields["assignee"]).choices = choices
        self.initial["assignee"] = str(conversation.assignee_id or "")

    def clean_assignee(self) -> User | None:
        return self.colleagues.get(self.cleaned_data["assignee"])
