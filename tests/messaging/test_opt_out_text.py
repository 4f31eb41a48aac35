"""What texts say about getting texts."""

from pathlib import Path

import pytest

from crm.choices import Provider
from messaging.opt_out_text.classification import Verdict, classify_text
from messaging.providers.registry import provider_confirms
from tests.messaging.opt_out_table import opt_out_table
from tests.messaging.texts import TEXTS


@pytest.mark.parametrize(("verdict", "text"), [(verdict, text) for verdict in TEXTS for text in TEXTS[verdict]])
def test_a_text_gets_its_verdict(verdict, text):
    assert classify_text(text) == verdict


def test_there_are_more_than_four_hundred_texts_and_none_twice():
    every = [text for texts in TEXTS.values() for text in texts]
    assert len(every) == len(set(every)) > 400


@pytest.mark.parametrize("character", ["a ", "stop by ", "st", "dont ", "😀", "don't text ", "\u200b"])
def test_a_text_of_any_length_is_read_at_once(character):
    assert classify_text(character * 100_000) in set(Verdict)


@pytest.mark.parametrize(
    ("provider", "answered", "unanswered"),
    [
        (
            Provider.OPENPHONE,
            ["STOP", "Stop.", "quit", "START", "unstop"],
            ["REVOKE", "opt out", "YES", "alto"],
        ),
        (Provider.TWILIO, ["STOP", "REVOKE", "optout", "YES", "unstop"], ["opt out", "alto", "please stop"]),
        (Provider.CALLRAIL, [], ["STOP", "START"]),
    ],
)
def test_a_provider_answers_to_its_own_words_alone(provider, answered, unanswered):
    assert [text for text in answered + unanswered if provider_confirms(provider, text)] == answered


def test_the_document_shows_the_texts():
    assert Path("docs/opt-outs-table.md").read_text() == opt_out_table()
