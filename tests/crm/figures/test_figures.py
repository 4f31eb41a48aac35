"""The charts, as the text that browsers get."""

import re
from xml.etree import ElementTree as ET

import pytest

from crm.figures import Datum, bars, line, progress, sparkline, stacked_bars, table

HOSTILE = '"><script>alert(1)</script>'
CALLS = [
    Datum("Missed", 3, url="/admin/calls/call/?status__exact=missed&company=1", tone="bad"),
    Datum("Purchased", 12, tone="good"),
    Datum("Lost", 0),
]


def all_figures(data, headline="12 of 15 calls were answered"):
    return {
        "bars": bars("calls", headline, data, columns=("Status", "Calls")),
        "stacked": stacked_bars("calls", headline, {"Today": data}, columns=("Day", "Status", "Calls")),
        "progress": progress("calls", headline, data, columns=("Status", "Calls")),
        "line": line("calls", headline, data, columns=("Day", "Calls"), most=20),
    }


FIGURES = list(all_figures(CALLS))


def parsed(figure):
    """The figure's elements: it is well-formed, so that mails and documents can hold it, too."""
    return ET.fromstring(figure)  # noqa: S314  # drawn by ourselves


@pytest.mark.parametrize("kind", FIGURES)
def test_figure_has_its_headline_its_drawing_and_its_numbers(kind):
    figure = parsed(all_figures(CALLS)[kind])
    assert figure.find("figcaption").text == "12 of 15 calls were answered"
    drawing = figure.find("svg")
    assert drawing.get("aria-labelledby") == figure.find("figcaption").get("id") == "calls-headline"
    numbers = [cell.text or cell.find("a").text for cell in figure.find("details").iter("td")]
    assert numbers == ["3", "12", "0"]
    assert [cell.get("scope") for cell in figure.find("details").iter("th")].count("col") in (2, 3)


@pytest.mark.parametrize("kind", FIGURES)
def test_drawing_without_links_is_a_picture_and_one_with_links_a_group_of_them(kind):
    linked, plain = all_figures(CALLS)[kind], all_figures([Datum("Missed", 3), Datum("Lost", 1)])[kind]
    assert parsed(plain).find("svg").get("role") == "img"
    assert not list(parsed(plain).iter("a"))
    assert parsed(linked).find("svg").get("role") == "group"
    [link] = parsed(linked).find("svg").iter("a")
    assert (link.get("href"), link.get("aria-label")) == (CALLS[0].url, "Missed: 3")


@pytest.mark.parametrize("kind", FIGURES)
def test_texts_are_escaped_everywhere(kind):
    data = [Datum(HOSTILE, 1, url=f"/{HOSTILE}", text=HOSTILE), Datum("Other", 2)]
    figure = all_figures(data, headline=HOSTILE)[kind]
    assert "<script" not in figure
    assert HOSTILE in parsed(figure).find("figcaption").text


@pytest.mark.parametrize("kind", FIGURES)
def test_figure_needs_no_script_and_no_style_and_its_marks_have_the_texts_colour(kind):
    figure = all_figures(CALLS)[kind]
    assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=", figure)
    assert 'fill="currentColor"' in figure
    assert not re.search(r"#[0-9a-f]{3}\b|rgb\(", figure)


@pytest.mark.parametrize("kind", FIGURES)
def test_figure_of_zeros_is_drawn_and_one_without_data_is_its_headline(kind):
    for data in ([Datum("Lost", 0)], [Datum("Lost", None)]):
        assert parsed(all_figures(data)[kind]).find("svg") is not None
    empty = parsed(all_figures([])[kind])
    assert [part.tag for part in empty] == ["figcaption"]


def test_bars_are_as_long_as_their_numbers_with_labels_beside_them():
    figure = parsed(bars("calls", "More", [Datum("A", 50), Datum("B", 25)], columns=("Status", "Calls")))
    marks = [mark.get("width") for mark in figure.iter("rect") if "figure-mark" in mark.get("class", "")]
    assert marks == ["80.0%", "40.0%"]
    assert [text.text for text in figure.find("svg").iter("text")] == ["A", "50", "B", "25"]


def test_parts_fill_the_bar_and_differ_by_pattern():
    figure = parsed(progress("sent", "Half", [Datum("Sent", 3), Datum("Left", 1)], columns=("State", "Texts")))
    edges = [rect for rect in figure.find("svg").iter("rect") if rect.get("class") == "figure-edge"]
    assert [(rect.get("x"), rect.get("width")) for rect in edges] == [("0.0%", "75.0%"), ("75.0%", "25.0%")]
    assert [rect.get("fill") for rect in edges] == ["url(#sent-pattern-0)", "url(#sent-pattern-1)"]
    known = {pattern.get("id") for pattern in figure.iter("pattern")}
    assert {"sent-pattern-0", "sent-pattern-1"} <= known
    assert ["".join(item.itertext()) for item in figure.iter("li")] == ["Sent 3", "Left 1"]


def test_bars_leave_room_for_long_numbers_on_a_phone():
    data = [Datum("Referral", 40.0, text="40 % (2 of 5)"), Datum("Search", 20.0, text="20 % (1 of 5)")]
    figure = parsed(bars("won", "More", data, columns=("Source", "Rate")))
    marks = [mark.get("width") for mark in figure.iter("rect") if "figure-mark" in mark.get("class", "")]
    assert marks == ["63.33%", "31.67%"]


def test_line_breaks_at_a_gap_and_names_its_last_number():
    data = [Datum("Mar 1", 10.0), Datum("Mar 2", None), Datum("Mar 3", 30.0, text="30 %"), Datum("Mar 4", None)]
    figure = parsed(line("rate", "Up", data, columns=("Day", "Rate"), most=100, unit=" %"))
    assert len(list(figure.iter("polyline"))) == 2
    assert len(list(figure.iter("circle"))) == 2
    texts = [text.text for text in figure.find("svg").iter("text")]
    assert texts == ["Mar 1", "Mar 4", "100 %", "30 %"]


def test_line_is_never_higher_than_its_scale():
    figure = parsed(line("rate", "High", [Datum("1", 150.0), Datum("2", 75.0)], columns=("Day", "Rate"), most=100))
    assert [circle.get("cy") for circle in figure.iter("circle")] == ["24.0", "95.0"]


def test_sparkline_says_what_it_shows():
    drawing = parsed(sparkline("Calls of 3 days, the last 2", [1, None, 2]))
    assert (drawing.get("role"), drawing.get("aria-label")) == ("img", "Calls of 3 days, the last 2")
    assert [each.get("points") for each in drawing.iter("polyline")] == ["1.00,12.0", "99.00,2.0"]


@pytest.mark.parametrize("data", [CALLS, []])
def test_numbers_of_a_drawing_in_the_headline_are_in_a_table_of_their_own(data):
    by_day = table(("Day", "Calls"), [("Mar 1", Datum("", 7))])
    figure = parsed(bars("calls", "More", data, columns=("Status", "Calls"), more=by_day))
    last = list(figure.find("details").iter("table"))[-1]
    assert [cell.text for cell in last.iter("td")] == ["7"]
    assert (figure.find("svg") is not None) == bool(data)
