"""SMS segments of a message."""

import pytest

from messaging.sms_segments import count_segments, encoding_of, find_ucs_2_characters


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("Hello", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("a\n" * 80, 1),  # a line feed is one septet
        ("é" * 160, 1),  # in the default alphabet
        ("è à ù ñ ü ö ä ß Ç Å Ø £ ¥ § ¿ ¡ Δ Ω" * 4, 1),
        ("€" * 80, 1),  # extension characters are two septets
        ("€" * 81, 2),
        ("^{}[]~|\\\f" * 10, 2),
        ("a" * 158 + "€", 1),
        ("a" * 159 + "€", 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # the pair at the end of the first segment is not split
        ("a" * 151 + "€" + "a" * 153, 2),
        ("’" + "a" * 69, 1),  # a curly quote makes the message UCS-2
        ("’" + "a" * 70, 2),
        ("’" + "a" * 133, 2),
        ("’" + "a" * 134, 3),
        ("ç" * 71, 2),  # the alphabet has the capital cedilla only
        ("Ç" * 160, 1),
        ("\N{EM DASH}" * 70, 1),
        ("😀" * 35, 1),  # two UTF-16 units each
        ("😀" * 36, 2),
        ("😀" * 33 + "a" + "😀", 1),
        ("a" * 66 + "😀" + "a" * 65, 2),  # the pair moves to the second segment
        ("a" * 66 + "😀" + "a" * 66, 3),
        ("a" * 66 + "😀" * 33, 2),
        ("日本語" * 24, 2),
        ("日本語" * 23, 1),
    ],
)  # fmt: skip
def test_message_has_the_segments_that_carriers_count(text, segments):
    assert count_segments(text) == segments


@pytest.mark.parametrize(
    ("text", "encoding", "characters"),
    [
        ("Hello [you] €", "GSM-7", []),
        ("", "GSM-7", []),
        ("It’s “late” – isn’t it?", "UCS-2", ["’", "“", "”", "–"]),
        ("Hi 😀", "UCS-2", ["😀"]),
    ],
)
def test_encoding_is_named_with_the_characters_that_force_it(text, encoding, characters):
    assert (encoding_of(text), find_ucs_2_characters(text)) == (encoding, characters)
