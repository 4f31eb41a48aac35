"""Classification of messages as opt-outs."""

from pathlib import Path

import pytest

from crm.choices import Provider
from messaging.opt_out_text.classification import Verdict, classify_text
from messaging.providers.registry import provider_confirms
from tests.messaging import held_out_texts
from tests.messaging.composed_texts import ENDINGS, FRAMES, REQUESTS, WORK
from tests.messaging.opt_out_table import measure, opt_out_table
from tests.messaging.texts import TEXTS


@pytest.mark.parametrize("verdict", TEXTS)
def test_messages_get_their_verdict(verdict):
    assert [text for text in TEXTS[verdict] if classify_text(text) != verdict] == []


def test_examples_are_many_and_unique():
    every = [text for texts in TEXTS.values() for text in texts]
    assert len(every) == len(set(every)) > 1_000


def test_unseen_messages_are_recognised_with_few_false_alarms():
    missed, alarmed = measure(held_out_texts.STOPPING, held_out_texts.ORDINARY)
    assert len(missed) <= 0.06 * len(held_out_texts.STOPPING)
    assert len(alarmed) <= 0.02 * len(held_out_texts.ORDINARY)


@pytest.mark.slow
@pytest.mark.parametrize("frame", FRAMES)
def test_frame_changes_neither_a_request_to_stop_nor_an_order(frame):
    requests, orders = (
        [f"{frame}{part}{ending}" for part in parts for ending in ENDINGS] for parts in (REQUESTS, WORK)
    )
    assert measure(requests, orders) == ([], [])


def test_held_out_messages_are_not_in_the_table():
    table = {text for texts in TEXTS.values() for text in texts}
    assert not table & {*held_out_texts.STOPPING, *held_out_texts.ORDINARY}


@pytest.mark.parametrize(
    "character",
    [
        "a ",
        "stop by ",
        "st",
        "dont ",
        "😀",
        "don't text ",
        "\u200b",
        "s t o p ",
        "1",
        "$",
        "stop the texts ",
        "no me ",
        "un",
        ". ",
    ],
)
def test_long_message_is_classified_quickly(character):
    assert classify_text(character * 100_000) in set(Verdict)


@pytest.mark.parametrize(
    ("provider", "confirmed", "unconfirmed"),
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
def test_provider_confirms_its_own_keywords_only(provider, confirmed, unconfirmed):
    assert [text for text in confirmed + unconfirmed if provider_confirms(provider, text)] == confirmed


@pytest.mark.slow
def test_table_page_is_up_to_date():
    assert Path("docs/opt-outs-table.md").read_text() == opt_out_table()
