"""Bars: a few numbers compared."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from crm.figures.frame import Datum, canvas, frame, linked, share

ROW, LABEL, TOP, THICKNESS, VALUE = 42, 14, 20, 14, 32
LONGEST, SHORTEST = 0.8, 0.4  # of the width, for the longest bar: the number stands behind it
NARROWEST, CHARACTER, GAP = 300, 8, 6  # pixels of a drawing on a phone, of a character of a number, before it


def bars(
    name: str,
    headline: str,
    data: Sequence[Datum],
    *,
    columns: tuple[str, str],
    more: SafeString = SafeString(""),  # noqa: B008  # a constant
) -> SafeString:
    """Return one bar for each datum, each with its label above and its number behind it."""
    longest = max((datum.value or 0 for datum in data), default=0)
    text = max((len(datum.shown) for datum in data), default=0)
    room = max(SHORTEST, min(LONGEST, 1 - (CHARACTER * text + GAP) / NARROWEST))
    drawn = format_html_join(
        "",
        "{}",
        (
            (linked(datum, _bar(datum, at=ROW * n, width=round(room * share(datum.value, longest), 2))),)
            for n, datum in enumerate(data)
        ),
    )
    return frame(
        name,
        headline,
        canvas(name, drawn, height=ROW * len(data), linked=any(datum.url for datum in data)),
        columns=columns,
        rows=((datum.label, datum) for datum in data),
        more=more,
    )


def _bar(datum: Datum, *, at: int, width: float) -> SafeString:
    """Return the bar with its texts, on an area that makes the whole row a target of clicks."""
    return format_html(
        '<rect fill="none" pointer-events="all" x="0" y="{}" width="100%" height="{}"></rect>'
        '<text class="figure-label" fill="currentColor" x="0" y="{}">{}</text>'
        '<rect class="figure-mark figure-{}" fill="currentColor" x="0" y="{}" width="{}%" height="{}" rx="2"></rect>'
        '<text class="figure-value" fill="currentColor" x="{}%" dx="{}" y="{}">{}</text>',
        at,
        TOP + THICKNESS,
        at + LABEL,
        datum.label,
        datum.tone,
        at + TOP,
        width,
        THICKNESS,
        width,
        GAP if width else 0,
        at + VALUE,
        datum.shown,
    )
