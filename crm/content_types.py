"""Content types of files, found by their first bytes: the sender's word and a name's ending prove nothing."""

from collections.abc import Callable

FIRST_BYTES = 512  # that are enough
# By the content type: the ending of a name.
ENDINGS = {
    "image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp", "image/heic": "heic",
    "application/pdf": "pdf", "text/vcard": "vcf",
    "audio/mpeg": "mp3", "audio/wav": "wav", "audio/ogg": "ogg", "audio/amr": "amr", "audio/aac": "aac",
    "audio/mp4": "m4a", "video/mp4": "mp4", "video/3gpp": "3gp", "video/quicktime": "mov", "video/webm": "webm",
}  # fmt: skip
# Browsers show these without running anything in them.
SHOWN = ("image/", "audio/", "video/")

# Brands of the container that MP4 files have, too.
_HEIC = frozenset({b"heic", b"heix", b"hevc", b"mif1", b"msf1"})
_AUDIO = frozenset({b"M4A ", b"M4B "})


def _begins(*beginnings: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(beginnings)


def _riff(kind: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(b"RIFF") and head[8:12] == kind


def _is_mpeg_audio(head: bytes) -> bool:
    """Return whether MPEG audio begins here: a tag, or a frame without reserved values, as UTF-16 has them."""
    if head.startswith(b"ID3"):
        return True
    is_frame = len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 6 > 0
    return is_frame and head[2] >> 4 != 15 and head[2] >> 2 & 3 != 3


def _is_vcard(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:11].upper() == b"BEGIN:VCARD"


_TESTS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("image/jpeg", _begins(b"\xff\xd8\xff")),
    ("image/png", _begins(b"\x89PNG\r\n\x1a\n")),
    ("image/gif", _begins(b"GIF87a", b"GIF89a")),
    ("image/webp", _riff(b"WEBP")),
    ("application/pdf", _begins(b"%PDF-")),
    ("text/vcard", _is_vcard),
    ("audio/wav", _riff(b"WAVE")),
    ("audio/ogg", _begins(b"OggS")),
    ("audio/amr", _begins(b"#!AMR")),
    ("video/webm", _begins(b"\x1aE\xdf\xa3")),
    ("audio/aac", lambda head: len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0),
    ("audio/mpeg", _is_mpeg_audio),
)


def find_content_type(head: bytes) -> str:
    """Return the type of a file that begins with these bytes; "" if it is none of ENDINGS."""
    if head[4:8] == b"ftyp":
        return _type_of_container(head[8:12])
    return next((name for name, matches in _TESTS if matches(head)), "")


def is_shown(content_type: str) -> bool:
    """Return whether a browser may show the file in a page. All others it saves."""
    return content_type in ENDINGS and content_type.startswith(SHOWN)


def _type_of_container(brand: bytes) -> str:
    if brand in _HEIC:
        return "image/heic"
    if brand in _AUDIO:
        return "audio/mp4"
    if brand.startswith(b"3g"):
        return "video/3gpp"
    return "video/quicktime" if brand == b"qt  " else "video/mp4"
