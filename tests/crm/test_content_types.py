"""Content types found in the first bytes of files."""

import pytest

from crm.content_types import ENDINGS, find_content_type, is_shown

BEGINNINGS = {
    "image/jpeg": b"\xff\xd8\xff\xe0", "image/png": b"\x89PNG\r\n\x1a\n", "image/gif": b"GIF89a",
    "image/webp": b"RIFF\0\0\0\0WEBP", "image/heic": b"\0\0\0\x18ftypheic", "application/pdf": b"%PDF-1.7",
    "text/vcard": b"\xef\xbb\xbfbegin:vcard\r\nVERSION:3.0", "audio/mpeg": b"\xff\xfb\x90\x00",
    "audio/wav": b"RIFF\0\0\0\0WAVE", "audio/ogg": b"OggS\0", "audio/amr": b"#!AMR\n", "audio/aac": b"\xff\xf1\x50",
    "audio/mp4": b"\0\0\0\x18ftypM4A ", "video/mp4": b"\0\0\0\x18ftypisom", "video/3gpp": b"\0\0\0\x18ftyp3gp5",
    "video/quicktime": b"\0\0\0\x14ftypqt  ", "video/webm": b"\x1aE\xdf\xa3",
}  # fmt: skip


@pytest.mark.parametrize("content_type", ENDINGS)
def test_type_is_found_in_the_file(content_type):
    assert find_content_type(BEGINNINGS[content_type] + b"\0" * 100) == content_type


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"<html>",
        b"<?xml version='1.0'?><svg/>",
        b"MZ\x90",
        b"PK\x03\x04",
        b"hello",
        b"\xff\xe1",
        b"\xff\xfe<\0h\0",
    ],
)
def test_anything_else_has_none(content):
    assert find_content_type(content) == ""


def test_what_could_run_something_is_never_shown():
    shown = {content_type for content_type in ENDINGS if is_shown(content_type)}
    assert set(ENDINGS) - shown == {"application/pdf", "text/vcard"}
    assert not is_shown("image/svg+xml"), "no such file is stored"
