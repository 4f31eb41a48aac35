"""Attachments of a demo company: one of each kind, one that a worker is still to fetch, and one that was not found."""

import struct
import zlib

from calls.choices import AttachmentKind, AttachmentStatus
from crm.choices import Provider
from crm.services.stored_files import LEVEL
from ops.demo.activity_writer import ActivityWriter
from ops.demo.bulk_writer import Binary
from ops.demo.calendar import stamp

RATE = 8000  # samples a second
URL = "https://files.example.com/demo"


def _wav() -> bytes:
    """Return a second of a quiet tone."""
    samples = bytes(128 + (8 if n // 10 % 2 else -8) for n in range(RATE))
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE, 1, 8)
    data = struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI4s", b"RIFF", 4 + len(form) + len(data), b"WAVE") + form + data


def _png() -> bytes:
    """Return a small picture of one color."""

    def part(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = b"".join(b"\0" + bytes((70, 110, 150)) * 48 for _ in range(48))
    header = struct.pack(">IIBBBBB", 48, 48, 8, 2, 0, 0, 0)
    parts = (part(b"IHDR", header), part(b"IDAT", zlib.compress(rows)), part(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


WAV, PNG = ("audio/wav", _wav()), ("image/png", _png())


class Attachments:
    """Writes the attachments of one company, to the first calls, messages and contacts that are offered."""

    def __init__(self, writer: ActivityWriter) -> None:
        self.setup, self.tables = writer.setup, writer.tables
        self.of_calls = [
            (AttachmentKind.RECORDING, AttachmentStatus.STORED), (AttachmentKind.VOICEMAIL, AttachmentStatus.STORED),
            (AttachmentKind.RECORDING, AttachmentStatus.PENDING), (AttachmentKind.RECORDING, AttachmentStatus.FAILED),
        ]  # fmt: skip

    def add_to_call(self, call: int, instant: int) -> None:
        """Add the recording or the voicemail of a call, while some are left."""
        if self.of_calls:
            kind, status = self.of_calls.pop(0)
            self._add(kind, status, WAV, instant, call=call)

    def add_to_message(self, activity: int, instant: int) -> None:
        self._add(AttachmentKind.MESSAGE, AttachmentStatus.STORED, PNG, instant, activity=activity)

    def add_to_contact(self, contact: int, instant: int) -> None:
        self._add(
            AttachmentKind.UPLOAD, AttachmentStatus.STORED, PNG, instant, contact=contact,
            created_by=self.setup.manager,
        )  # fmt: skip

    def _add(
        self, kind: AttachmentKind, status: AttachmentStatus, content: tuple[str, bytes], instant: int, **owner: int
    ) -> None:
        content_type, data = content
        at, company = stamp(instant), {"company": self.setup.company}
        file = None
        if status == AttachmentStatus.STORED:
            name = f"{kind}.{content_type.partition('/')[2]}"
            file = self.tables["stored_files"].add(
                **company, name=name, content_type=content_type, size=len(data), created_at=at, expires_at=None
            )
            chunk = Binary(zlib.compress(data, LEVEL))
            self.tables["stored_file_chunks"].add(**company, file=file, position=0, data=chunk)
        is_ours = kind == AttachmentKind.UPLOAD
        self.tables["attachments"].add(
            **company, **owner, kind=kind, status=status, file=file, created_at=at,
            provider="" if is_ours else Provider.OPENPHONE, source_url="" if is_ours else URL,
            tries=0 if is_ours else 8 if status == AttachmentStatus.FAILED else 1,
            error="The server answered with status 404." if status == AttachmentStatus.FAILED else "",
            run_at=at if status == AttachmentStatus.PENDING else None,
        )  # fmt: skip
