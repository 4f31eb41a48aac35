"""Generated webhook events of many callers over a few weeks, and a snapshot of the resulting rows.

A stream contains every type of event in chronological order. Shuffled, duplicated and processed by killed workers, it
must give the same snapshot.
"""

import random
from datetime import UTC, datetime, timedelta

from calls.models import Call, CallDetail
from crm.models import Activity, Contact, ContactPhone, Conversation, PhoneLine
from messaging.models import Message, WebhookEvent
from tests.factories import fictional_number
from tests.messaging.payloads import OUR_NUMBER, current, legacy

BEGIN = datetime(2026, 3, 2, 15, tzinfo=UTC)
# The first line has a row and a name. The second one is created by its first event.
LINES = {"PNdesk": OUR_NUMBER, "PNnew": fictional_number(40_002)}
FIRST_CALLER = 41_000
PER_CALLER = 40  # events, roughly


class EventStream:
    """Webhook events in the order of an undisturbed run."""

    def __init__(self, *, events, seed):
        self.random = random.Random(seed)  # noqa: S311  # not a secret
        self.events = []
        self.now = BEGIN
        self.count = 0
        episodes = [
            self.message_in, self.message_out, self.failed_message, self.answered_call, self.missed_call,
            self.outgoing_call, self.old_call, self.old_voicemail, self.forwarded_call, self.group_message,
            self.address, self.lone_summary, self.task,
        ]  # fmt: skip
        callers = max(2, events // PER_CALLER)
        while len(self.events) < events:
            for episode in episodes:
                self.now += timedelta(minutes=7)
                self.caller_index = self.random.randrange(callers)
                self.caller = fictional_number(FIRST_CALLER + 2 * self.caller_index)
                self.line_id = self.random.choice(list(LINES))
                self.count += 1
                episode(f"AC{self.count}")
        del self.events[events:]

    def disturbed(self):
        """Return all events shuffled: a fifth is sent twice, and a tenth again under another event id."""
        twice = self.random.sample(self.events, len(self.events) // 5)
        again = self.random.sample(self.events, len(self.events) // 10)
        disturbed = [*self.events, *twice, *(event | {"id": f"{event['id']}again"} for event in again)]
        self.random.shuffle(disturbed)
        return disturbed

    def at(self, seconds=0):
        return (self.now + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def add(self, event_type, resource, context=None):
        self.events.append(current(event_type, resource, context or {"phoneNumberId": self.line_id}))

    def add_legacy(self, event_type, resource, **envelope):
        self.events.append(legacy(event_type, resource | {"phoneNumberId": self.line_id}, **envelope))

    @property
    def company_number(self):
        return LINES[self.line_id]

    def participants(self):
        return {
            "phoneNumberId": self.line_id,
            "participants": {"workspace": [self.company_number], "external": [self.caller]},
        }

    def message_in(self, key):
        photo = {"url": f"https://files.example.com/{key}.jpg", "type": "image/jpeg"}
        self.add_legacy(
            "message.received",
            {
                "id": key,
                "from": self.caller,
                "to": self.company_number,
                "direction": "incoming",
                "createdAt": self.at(),
            }
            | {"body": f"Does it still drip? {key}", "media": [photo], "status": "received"},
            version="v3",
        )

    def message_out(self, key, statuses=("delivered",)):
        for status in statuses:
            self.add(
                f"message.{status}",
                {
                    "id": key,
                    "direction": "outgoing",
                    "text": f"We come on Tuesday. {key}",
                    "createdAt": self.at(),
                }
                | {"status": status, "errorCode": "30006" if status == "undelivered" else None},
                {"phoneNumberId": self.line_id, "senderIdentifier": self.company_number}
                | {"recipientIdentifiers": [self.caller]},
            )

    def failed_message(self, key):
        self.message_out(key, self.random.choice([("failed",), ("undelivered",), ("failed", "delivered")]))

    def group_message(self, key):
        others = [fictional_number(40_011), fictional_number(40_012)]
        self.add_legacy(
            "message.received",
            {"id": key, "from": self.caller, "to": ",".join([self.company_number, *others]), "direction": "incoming"}
            | {"body": "All of us are there.", "createdAt": self.at(), "status": "received"},
            version="v3",
        )

    def answered_call(self, key, direction="incoming"):
        times = {"id": key, "direction": direction, "createdAt": self.at()}
        answered = times | {"answeredAt": self.at(5)}
        over = answered | {"completedAt": self.at(65), "duration": 60}
        files = [{"id": "1", "url": f"https://files.example.com/{key}{n}.mp3", "type": "audio/mpeg"} for n in (1, 2)]
        self.add("call.ringing", times)
        self.add("call.answered", answered, self.participants())
        self.add("call.completed", over | {"status": "answered", "hasVoicemail": False}, self.participants())
        self.add("call.recording.completed", over | {"recordings": files}, self.participants())
        self.add_summary(key)
        line = {"identifier": self.caller, "userId": None, "content": "It drips.", "start": 0.5, "end": 2.25}
        self.add(
            "call.transcript.completed",
            {"callId": key, "createdAt": self.at(90), "duration": 60, "processingStatus": "completed"}
            | {"dialogue": [line]},
        )

    def outgoing_call(self, key):
        self.answered_call(key, direction="outgoing")

    def missed_call(self, key):
        times = {"id": key, "direction": "incoming", "createdAt": self.at()}
        self.add("call.ringing", times)
        self.add("call.missed", {"id": key, "createdAt": self.at(), "updatedAt": self.at(20)}, self.participants())
        self.add(
            "call.completed",
            times | {"status": "unanswered", "answeredAt": None, "completedAt": self.at(50), "duration": None},
            self.participants(),
        )
        self.add(
            "call.voicemail.completed",
            {
                "id": key,
                "voicemailId": f"VM{key}",
                "callId": key,
                "direction": "incoming",
                "duration": 12,
            }
            | {
                "from": self.caller,
                "to": self.company_number,
                "transcript": "Please call back.",
                "createdAt": self.at(40),
            }
            | {"recordingUrl": f"https://files.example.com/{key}.mp3"},
            self.participants(),
        )

    def forwarded_call(self, key):
        self.add(
            "call.menu.selected",
            {"id": key, "createdAt": self.at(), "phoneMenuSelection": "2", "phoneMenuSelectionName": "Sales"}
            | {"statusReason": "phone-menu-dial"},
            self.participants(),
        )
        self.add(
            "call.forwarded",
            {"id": key, "createdAt": self.at(), "forwardedFrom": self.company_number}
            | {"forwardedTo": fictional_number(40_013)},
            self.participants(),
        )
        self.add(
            "call.completed",
            {"id": key, "direction": "incoming", "status": "forwarded", "createdAt": self.at()}
            | {"answeredAt": self.at(9), "completedAt": self.at(99), "duration": 90, "hasVoicemail": False},
            self.participants(),
        )

    def old_call(self, key):
        call = {"id": key, "object": "call", "from": self.caller, "to": self.company_number, "direction": "incoming"}
        call |= {"media": [], "voicemail": None, "createdAt": self.at(), "answeredAt": None, "completedAt": None}
        over = call | {"answeredAt": self.at(4), "completedAt": self.at(34), "status": "completed"}
        recording = [{"url": f"https://files.example.com/{key}.mp3", "type": "audio/mpeg", "duration": 30}]
        self.add_legacy("call.ringing", call | {"status": "ringing"}, version="v2")
        self.add_legacy("call.completed", over, version="v2")
        self.add_legacy("call.recording.completed", over | {"media": recording}, version="v2")

    def old_voicemail(self, key):
        call = {"id": key, "object": "call", "from": self.caller, "to": self.company_number, "direction": "incoming"}
        voicemail = {"url": f"https://files.example.com/{key}.mp3", "type": "audio/mpeg", "duration": 9}
        call |= {"media": [], "createdAt": self.at(), "answeredAt": None, "completedAt": self.at(30)}
        self.add_legacy("call.completed", call | {"voicemail": voicemail, "status": "completed"}, version="v2")

    def address(self, key):
        numbers = [self.caller, fictional_number(FIRST_CALLER + 2 * self.caller_index + 1)]
        self.add(
            "contact.updated",
            {"id": f"CT{self.caller_index}", "firstName": "Ann", "lastName": f"Caller {self.caller_index}"}
            | {"emails": [{"value": f"ann{self.caller_index}@example.com", "type": "email"}], "createdAt": self.at()}
            | {"phoneNumbers": [{"value": number, "type": "phone-number"} for number in numbers], "customFields": []}
            | {"company": None, "role": None, "updatedAt": self.at(1), "externalId": key},
            {"userId": "USann", "sharedWithIds": []},
        )

    def add_summary(self, key):
        self.add(
            "call.summary.completed",
            {"callId": key, "processingStatus": "completed", "summary": [f"A drip. {key}"]}
            | {"nextSteps": ["Send Kim."], "jobs": [], "handledByAiAgent": False},
        )

    def lone_summary(self, key):
        """Add the summary of a call that has no other event."""
        self.add_summary(key)

    def task(self, key):
        self.add("task.assigned", {"id": key, "title": "Call back", "createdAt": self.at()})


def snapshot():
    """Return the active company's rows without ids and times of receipt, which differ between runs.

    Other rows are referenced by the provider's id or the phone number.
    """
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
        "events": _rows(WebhookEvent, "event_id", "event_type", "status", "processed"),
    }  # fmt: skip


def _rows(model, *fields):
    return sorted(model.objects.values_list(*fields), key=repr)
