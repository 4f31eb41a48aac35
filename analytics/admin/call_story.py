"""The top of a call's page: when it was, its recordings, what was said by whom, and the latest analysis."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.urls import reverse

from analytics.admin.objections import ObjectionsForm, latest_analysis, may_analyze
from analytics.models import CallAnalysis
from calls.admin.attachments import open_url
from calls.choices import AttachmentKind, AttachmentStatus, CallStatus
from calls.models import Attachment, Call, CallDetail
from crm.admin.badges import Badge, badges_of
from messaging.admin.message_words import say_time

MAX_TURNS = 400


@dataclass(frozen=True)
class Turn:
    side: str
    """The class in conversations.css: incoming for the contact, outgoing for the company."""
    speaker: str
    at: str
    text: str


@dataclass(frozen=True)
class Player:
    """A recording or voicemail in the company's own store, or on its way there."""

    label: str
    url: str
    """Empty: it isn't stored."""
    page: str
    error: str
    is_failed: bool


@dataclass(frozen=True)
class CallStory:
    call: Call
    badges: Sequence[Badge]
    status: tuple[str, str]
    when: str
    players: Sequence[Player]
    recordings: Sequence[tuple[str, str, str]]
    """Those at the provider alone: labels, URLs, and the hosts that they lead to."""
    detail: CallDetail | None
    turns: Sequence[Turn]
    more_turns: int
    analysis: CallAnalysis | None
    conversation: str
    objections: ObjectionsForm | None
    """None for those who only look on."""
    may_add: bool


def story_of(call: Call, staff: Any) -> CallStory:
    detail = CallDetail.objects.filter(call=call).first()
    attachments = list(Attachment.objects.filter(call=call).order_by("kind", "position"))
    transcript = detail.transcript if detail else []
    status = CallStatus(call.status)
    length = f", {call.duration_s // 60}:{call.duration_s % 60:02d} minutes" if call.duration_s else ""
    analysis = latest_analysis(call)
    conversation = call.activity.conversation_id if call.activity else None
    page = reverse("admin:crm_conversation_change", args=[conversation]) if conversation else ""
    return CallStory(
        call=call,
        badges=badges_of([call.contact_id]).get(call.contact_id, []) if call.contact_id else [],
        status=(status.label, status.color),
        when=say_time(call.created_at, call.company.zone) + length,
        players=[_player(attachment) for attachment in attachments],
        recordings=_recordings(call, detail, attachments),
        detail=detail,
        turns=[_turn(call, line) for line in transcript[:MAX_TURNS]],
        more_turns=max(len(transcript) - MAX_TURNS, 0),
        analysis=analysis,
        conversation=f"{page}?at={call.activity_id}" if page else "",
        objections=ObjectionsForm(company_id=call.company_id, analysis=analysis)
        if may_analyze(staff, analysis)
        else None,
        may_add=staff.has_perm("analytics.add_callanalysis"),
    )


def _player(attachment: Attachment) -> Player:
    return Player(
        label=AttachmentKind(attachment.kind).label,
        url=open_url(attachment) if attachment.status == AttachmentStatus.STORED else "",
        page=reverse("admin:calls_attachment_change", args=[attachment.pk]),
        error=attachment.error,
        is_failed=attachment.status == AttachmentStatus.FAILED,
    )


def _recordings(call: Call, detail: CallDetail | None, attachments: Sequence[Attachment]) -> list[tuple[str, str, str]]:
    """Return the files with a URL that a browser may open: a provider's event may hold any text.

    They are at the provider, and our pages load nothing from another host: a link plays them there. Stored ones have a
    player.
    """
    found = {call.recording_url: "Recording", call.voicemail_url: "Voicemail"}
    for file in detail.recordings if detail else []:
        found.setdefault(str(file.get("url", "")), "Recording")
    stored = {each.source_url for each in attachments if each.status == AttachmentStatus.STORED}
    playable = [
        (label, url) for url, label in found.items() if url not in stored and url.startswith(("https://", "http://"))
    ]
    return [(label, url, urlsplit(url).netloc) for label, url in playable]


def _turn(call: Call, line: dict[str, Any]) -> Turn:
    """Return one line of the transcript. Its speaker is a number, a provider's user ID, or unknown."""
    speaker, start = str(line.get("speaker") or ""), line.get("start")
    is_contact = call.contact is not None and speaker in (call.contact.phone, _number_outside(call))
    ours = str(call.phone_line) if call.phone_line and speaker == call.phone_line.number else speaker
    return Turn(
        side="incoming" if is_contact else "outgoing" if speaker else "note",
        speaker=str(call.contact) if is_contact else ours or "Unknown speaker",
        at=f"{int(start) // 60}:{int(start) % 60:02d}" if isinstance(start, int | float) else "",
        text=str(line.get("text") or ""),
    )


def _number_outside(call: Call) -> str:
    return call.from_number if call.direction == "incoming" else call.to_number
