"""What many callers do in a few weeks, as the deliveries that tell of it, and a picture of what came of it.

A story has every type of event, in the order in which things happened. Told shuffled, twice, and by workers that are
killed it must come to the same picture.
"""

import random
from datetime import UTC, datetime, timedelta

from calls.models import Call, CallDetail
from crm.models import Activity, Contact, ContactPhone, Conversation, PhoneLine
from messaging.models import Message, WebhookEvent
from tests.factories import fictional_number
from tests.messaging.payloads import OUR_NUMBER, current, legacy

BEGIN = datetime(2026, 3, 2, 15, tzinfo=UTC)
# One line has a row and a name; of the other the first delivery tells.
LINES = {"PNdesk": OUR_NUMBER, "PNnew": fictional_number(40_002)}
FIRST_CALLER = 41_000
PER_CALLER = 40  # deliveries, roughly


class Story:
    """The deliveries, as they would come if nothing went wrong."""

    def __init__(self, *, deliveries, seed):
        self.random = random.Random(seed)  # noqa: S311  # nobody's secret
        self.deliveries = []
        self.now = BEGIN
        self.things = 0
        episodes = [
            self.text_in, self.text_out, self.failed_text, self.answered_call, self.missed_call, self.outgoing_call,
            self.old_call, self.old_voicemail, self.forwarded_call, self.group_text, self.address, self.lone_summary,
            self.task,
        ]  # fmt: skip
        callers = max(2, deliveries // PER_CALLER)
        while len(self.deliveries) < deliveries:
            for episode in episodes:
                self.now += timedelta(minutes=7)
                self.caller_index = self.random.randrange(callers)
                self.caller = fictional_number(FIRST_CALLER + 2 * self.caller_index)
                self.line_id = self.random.choice(list(LINES))
                self.things += 1
                episode(f"AC{self.things}")
        del self.deliveries[deliveries:]

    def disturbed(self):
        """All of them shuffled; a fifth comes twice, another tenth again as another event."""
        twice = self.random.sample(self.deliveries, len(self.deliveries) // 5)
        again = self.random.sample(self.deliveries, len(self.deliveries) // 10)
        disturbed = [*self.deliveries, *twice, *(delivery | {"id": f"{delivery['id']}again"} for delivery in again)]
        self.random.shuffle(disturbed)
        return disturbed

    def at(self, seconds=0):
        return (self.now + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def tell(self, event_type, resource, context=None):
        self.deliveries.append(current(event_type, resource, context or {"phoneNumberId": self.line_id}))

    def tell_old(self, event_type, resource, **envelope):
        self.deliveries.append(legacy(event_type, resource | {"phoneNumberId": self.line_id}, **envelope))

    @property
    def our_number(self):
        return LINES[self.line_id]

    def people(self):
        return {
            "phoneNumberId": self.line_id,
            "participants": {"workspace": [self.our_number], "external": [self.caller]},
        }

    def text_in(self, thing):
        photo = {"url": f"https://files.example.com/{thing}.jpg", "type": "image/jpeg"}
        self.tell_old(
            "message.received",
            {"id": thing, "from": self.caller, "to": self.our_number, "direction": "incoming", "createdAt": self.at()}
            | {"body": f"Does it still drip? {thing}", "media": [photo], "status": "received"},
            version="v3",
        )

    def text_out(self, thing, statuses=("delivered",)):
        for status in statuses:
            self.tell(
                f"message.{status}",
                {"id": thing, "direction": "outgoing", "text": f"We come on Tuesday. {thing}", "createdAt": self.at()}
                | {"status": status, "errorCode": "30006" if status == "undelivered" else None},
                {"phoneNumberId": self.line_id, "senderIdentifier": self.our_number}
                | {"recipientIdentifiers": [self.caller]},
            )

    def failed_text(self, thing):
        self.text_out(thing, self.random.choice([("failed",), ("undelivered",), ("failed", "delivered")]))

    def group_text(self, thing):
        others = [fictional_number(40_011), fictional_number(40_012)]
        self.tell_old(
            "message.received",
            {"id": thing, "from": self.caller, "to": ",".join([self.our_number, *others]), "direction": "incoming"}
            | {"body": "All of us are there.", "createdAt": self.at(), "status": "received"},
            version="v3",
        )

    def answered_call(self, thing, direction="incoming"):
        times = {"id": thing, "direction": direction, "createdAt": self.at()}
        answered = times | {"answeredAt": self.at(5)}
        over = answered | {"completedAt": self.at(65), "duration": 60}
        files = [{"id": "1", "url": f"https://files.example.com/{thing}{n}.mp3", "type": "audio/mpeg"} for n in (1, 2)]
        self.tell("call.ringing", times)
        self.tell("call.answered", answered, self.people())
        self.tell("call.completed", over | {"status": "answered", "hasVoicemail": False}, self.people())
        self.tell("call.recording.completed", over | {"recordings": files}, self.people())
        self.sum_up(thing)
        line = {"identifier": self.caller, "userId": None, "content": "It drips.", "start": 0.5, "end": 2.25}
        self.tell(
            "call.transcript.completed",
            {"callId": thing, "createdAt": self.at(90), "duration": 60, "processingStatus": "completed"}
            | {"dialogue": [line]},
        )

    def outgoing_call(self, thing):
        self.answered_call(thing, direction="outgoing")

    def missed_call(self, thing):
        times = {"id": thing, "direction": "incoming", "createdAt": self.at()}
        self.tell("call.ringing", times)
        self.tell("call.missed", {"id": thing, "createdAt": self.at(), "updatedAt": self.at(20)}, self.people())
        self.tell(
            "call.completed",
            times | {"status": "unanswered", "answeredAt": None, "completedAt": self.at(50), "duration": None},
            self.people(),
        )
        self.tell(
            "call.voicemail.completed",
            {"id": thing, "voicemailId": f"VM{thing}", "callId": thing, "direction": "incoming", "duration": 12}
            | {"from": self.caller, "to": self.our_number, "transcript": "Please call back.", "createdAt": self.at(40)}
            | {"recordingUrl": f"https://files.example.com/{thing}.mp3"},
            self.people(),
        )

    def forwarded_call(self, thing):
        self.tell(
            "call.menu.selected",
            {"id": thing, "createdAt": self.at(), "phoneMenuSelection": "2", "phoneMenuSelectionName": "Sales"}
            | {"statusReason": "phone-menu-dial"},
            self.people(),
        )
        self.tell(
            "call.forwarded",
            {"id": thing, "createdAt": self.at(), "forwardedFrom": self.our_number}
            | {"forwardedTo": fictional_number(40_013)},
            self.people(),
        )
        self.tell(
            "call.completed",
            {"id": thing, "direction": "incoming", "status": "forwarded", "createdAt": self.at()}
            | {"answeredAt": self.at(9), "completedAt": self.at(99), "duration": 90, "hasVoicemail": False},
            self.people(),
        )

    def old_call(self, thing):
        call = {"id": thing, "object": "call", "from": self.caller, "to": self.our_number, "direction": "incoming"}
        call |= {"media": [], "voicemail": None, "createdAt": self.at(), "answeredAt": None, "completedAt": None}
        over = call | {"answeredAt": self.at(4), "completedAt": self.at(34), "status": "completed"}
        recording = [{"url": f"https://files.example.com/{thing}.mp3", "type": "audio/mpeg", "duration": 30}]
        self.tell_old("call.ringing", call | {"status": "ringing"}, version="v2")
        self.tell_old("call.completed", over, version="v2")
        self.tell_old("call.recording.completed", over | {"media": recording}, version="v2")

    def old_voicemail(self, thing):
        call = {"id": thing, "object": "call", "from": self.caller, "to": self.our_number, "direction": "incoming"}
        voicemail = {"url": f"https://files.example.com/{thing}.mp3", "type": "audio/mpeg", "duration": 9}
        call |= {"media": [], "createdAt": self.at(), "answeredAt": None, "completedAt": self.at(30)}
        self.tell_old("call.completed", call | {"voicemail": voicemail, "status": "completed"}, version="v2")

    def address(self, thing):
        numbers = [self.caller, fictional_number(FIRST_CALLER + 2 * self.caller_index + 1)]
        self.tell(
            "contact.updated",
            {"id": f"CT{self.caller_index}", "firstName": "Ann", "lastName": f"Caller {self.caller_index}"}
            | {"emails": [{"value": f"ann{self.caller_index}@example.com", "type": "email"}], "createdAt": self.at()}
            | {"phoneNumbers": [{"value": number, "type": "phone-number"} for number in numbers], "customFields": []}
            | {"company": None, "role": None, "updatedAt": self.at(1), "externalId": thing},
            {"userId": "USann", "sharedWithIds": []},
        )

    def sum_up(self, thing):
        self.tell(
            "call.summary.completed",
            {"callId": thing, "processingStatus": "completed", "summary": [f"A drip. {thing}"]}
            | {"nextSteps": ["Send Kim."], "jobs": [], "handledByAiAgent": False},
        )

    def lone_summary(self, thing):
        """Of a call that is never told of."""
        self.sum_up(thing)

    def task(self, thing):
        self.tell("task.assigned", {"id": thing, "title": "Call back", "createdAt": self.at()})


def picture():
    """Every row of the company entered that deliveries make, without what differs between two runs: ids, and when it
    reached us. A row names another by the provider's id or the number."""
    return {
        "lines": _rows(PhoneLine, "name", "number", "provider", "provider_id"),
        "contacts": _rows(Contact, "phone", "first_name", "last_name", "email"),
        "numbers": _rows(ContactPhone, "phone", "contact__phone"),
        "conversations": _rows(Conversation, "contact__phone", "phone_line__number", "status", "last_activity_at"),
        "activities": _rows(
            Activity, "openphone_id", "contact__phone", "conversation__contact__phone",
            "conversation__phone_line__number", "activity_type", "direction", "body", "created_at",
        ),
        "messages": _rows(
            Message, "activity__openphone_id", "contact__phone", "phone_line__number", "direction", "kind",
            "from_number", "to_numbers", "body", "media", "status", "error_code", "created_at", "read_at",
        ),
        "calls": _rows(
            Call, "activity__openphone_id", "contact__phone", "phone_line__number", "direction", "from_number",
            "to_number", "recording_url", "voicemail_url", "status", "booked", "created_at", "answered_at",
            "completed_at", "duration_s",
        ),
        "details": _rows(
            CallDetail, "openphone_id", "call__activity__openphone_id", "recordings", "voicemail_transcript",
            "summary", "next_steps", "transcript", "forwarded_to", "menu_choice",
        ),
        "deliveries": _rows(WebhookEvent, "event_id", "event_type", "status", "processed"),
    }  # fmt: skip


def _rows(model, *fields):
    return sorted(model.objects.values_list(*fields), key=repr)
