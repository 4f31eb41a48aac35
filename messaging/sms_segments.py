"""SMS segments: the parts of a message that carriers count and bill (3GPP TS 23.038 and 23.040)."""

# The default alphabet. Any other character makes the whole message UCS-2.
GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_7_EXTENSION = frozenset("\f^{}\\[~]|€")  # each needs an escape: two septets
GSM_7_ALL = GSM_7 | GSM_7_EXTENSION

GSM_7_SEGMENT = (160, 153)  # septets in a single segment, and in each of several
UCS_2_SEGMENT = (70, 67)  # UTF-16 units


GSM_7_NAME, UCS_2_NAME = "GSM-7", "UCS-2"


def encoding_of(body: str) -> str:
    """Return the name of the encoding in which carriers send this message."""
    return UCS_2_NAME if find_ucs_2_characters(body) else GSM_7_NAME


def find_ucs_2_characters(body: str) -> list[str]:
    """Return the characters that make the message UCS-2, each once, in their order."""
    return [character for character in dict.fromkeys(body) if character not in GSM_7_ALL]


def count_segments(body: str) -> int:
    """Return the number of segments, at least 1. A character of two units is never split between segments.

    A provider that replaces curly quotes and dashes by straight ones may count fewer: this is the upper bound.
    """
    if GSM_7_ALL.issuperset(body):
        widths = [2 if character in GSM_7_EXTENSION else 1 for character in body]
        single, several = GSM_7_SEGMENT
    else:
        widths = [2 if ord(character) > 0xFFFF else 1 for character in body]
        single, several = UCS_2_SEGMENT
    if sum(widths) <= single:
        return 1
    segments, used = 1, 0
    for width in widths:
        if used + width > several:
            segments, used = segments + 1, 0
        used += width
    return segments
