"""Lines: a number from day to day."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from crm.figures.frame import Datum, canvas, frame, linked, share

HEIGHT, TOP, BOTTOM = 190, 24, 24
LEFT, RIGHT = 1.5, 92.0  # percent of the width: the last number stands behind the line
PLOT = HEIGHT - TOP - BOTTOM


def line(
    name: str, headline: str, data: Sequence[Datum], *, columns: tuple[str, str], most: float, unit: str = ""
) -> SafeString:
    """Return a line through the data, with a marker for each, and numbers at the scale's ends and the last datum.

    Args:
        most: the value at the top, such as 100 for percentages.
    """
    top = max([most, *(datum.value for datum in data if datum.value is not None)])
    places = [(_across(n, len(data)), _down(datum.value, top), datum) for n, datum in enumerate(data)]
    markers = format_html_join("", "{}", ((_marker(x, y, datum),) for x, y, datum in places if y is not None))
    content = format_html("{}{}{}{}", _scale(data, top, unit), _path(data, top), markers, _last(places))
    return frame(
        name,
        headline,
        canvas(name, content, height=HEIGHT, linked=any(datum.url for datum in data)),
        columns=columns,
        rows=((datum.label, datum) for datum in data),
    )


def sparkline(label: str, values: Sequence[float | None]) -> SafeString:
    """Return a small line for a sentence or a table's cell, without a scale. `label` says what it shows."""
    top = max((value for value in values if value is not None), default=0)
    return format_html(
        '<svg class="sparkline" role="img" aria-label="{}" viewBox="0 0 100 24" preserveAspectRatio="none"'
        ' width="100" height="24">{}</svg>',
        label,
        _segments(values, top, height=20, offset=2, first=1, last=99),
    )


def _across(n: int, count: int) -> float:
    return round(LEFT + (RIGHT - LEFT) * n / max(count - 1, 1), 2)


def _down(value: float | None, top: float) -> float | None:
    return None if value is None else round(TOP + PLOT * (1 - share(value, top) / 100), 1)


def _path(data: Sequence[Datum], top: float) -> SafeString:
    """Return the line itself in a drawing of its own, which is stretched to the width; its stroke isn't."""
    return format_html(
        '<svg viewBox="0 0 100 {}" preserveAspectRatio="none" width="100%" height="{}">{}</svg>',
        HEIGHT,
        HEIGHT,
        _segments([datum.value for datum in data], top, height=PLOT, offset=TOP, first=LEFT, last=RIGHT),
    )


def _segments(
    values: Sequence[float | None], top: float, *, height: float, offset: float, first: float, last: float
) -> SafeString:
    """Return a line for each run of values; a gap breaks it."""
    step = (last - first) / max(len(values) - 1, 1)

    def runs() -> Iterator[tuple[str]]:
        for is_gap, run in groupby(enumerate(values), key=lambda each: each[1] is None):
            if not is_gap:
                yield (
                    " ".join(
                        f"{first + step * n:.2f},{offset + height * (1 - share(value, top) / 100):.1f}"
                        for n, value in run
                    ),
                )

    return format_html_join(
        "",
        '<polyline class="figure-line" fill="none" stroke="currentColor" vector-effect="non-scaling-stroke"'
        ' points="{}"></polyline>',
        runs(),
    )


def _marker(x: float, y: float, datum: Datum) -> SafeString:
    marker = format_html(
        '<circle class="figure-marker" fill="currentColor" cx="{}%" cy="{}" r="3.5"><title>{}: {}</title></circle>',
        x,
        y,
        datum.label,
        datum.shown,
    )
    return linked(datum, marker, by_key=False)


def _scale(data: Sequence[Datum], top: float, unit: str) -> SafeString:
    """Return gridlines at nothing, half and the top, the top's number, and the labels of the first and last datum."""
    grid = format_html_join(
        "",
        '<line class="figure-grid" stroke="currentColor" x1="0" x2="{}%" y1="{}" y2="{}"></line>',
        ((RIGHT, y, y) for y in (TOP, TOP + PLOT / 2, TOP + PLOT)),
    )
    ends = [("start", 0, data[0].label), ("end", RIGHT, data[-1].label)] if data else []
    labels = format_html_join(
        "",
        '<text class="figure-label" fill="currentColor" text-anchor="{}" x="{}%" y="{}">{}</text>',
        [*((*end[:2], HEIGHT - 6, end[2]) for end in ends), ("start", 0, TOP - 8, f"{top:,g}{unit}")],
    )
    return format_html("{}{}", grid, labels)


def _last(places: Sequence[tuple[float, float | None, Datum]]) -> SafeString:
    """Return the number of the last datum that has one."""
    for x, y, datum in reversed(places):
        if y is not None:
            return format_html(
                '<text class="figure-value" fill="currentColor" x="{}%" dx="8" y="{}">{}</text>', x, y + 4, datum.shown
            )
    return SafeString("")
