"""Forms of a conversation's page."""

from typing import Any, cast
from uuid import uuid4

from django import forms

from crm.form_fields import RowFormField
from crm.models import Conversation, PhoneLine, User
from crm.services.inbox import assignable_users
from messaging.services.outbound.send_policy import MAX_BODY
from messaging.sms_segments import GSM_7, GSM_7_EXTENSION, GSM_7_SEGMENT, UCS_2_SEGMENT

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
    body = TextFormField(
        max_length=MAX_BODY,
        label="Reply",
        error_messages={"required": "Write the text first."},
        widget=forms.Textarea(attrs={"rows": 4, "aria-describedby": "reply-count", **count_rules()}),
    )
    key = forms.RegexField(r"^[!-~]{1,100}$", widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("key", new_key())


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
