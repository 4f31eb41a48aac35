"""Headline, frame and table of every figure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


@dataclass(frozen=True)
class Datum:
    """One number with its label. None is a gap: nothing was measured.

    Attributes:
        text: the number as people read it; by default with thousands separated.
        url: the page with its rows; empty for none.
        tone: good, bad, waiting or plain, as of a badge. The label says it, too.
    """

    label: str
    value: float | None
    text: str = ""
    url: str = ""
    tone: str = "plain"

    @property
    def shown(self) -> str:
        return self.text or ("–" if self.value is None else f"{self.value:,}")


def frame(
    name: str,
    headline: str,
    drawing: SafeString,
    *,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    more: SafeString = SafeString(""),  # noqa: B008  # a constant
) -> SafeString:
    """Return the figure; without rows, its headline alone.

    Args:
        name: unique on its page, such as `calls`.
        rows: texts and data.
        more: a table of what the headline draws, such as a sparkline.
    """
    numbers = list(rows)
    tables = format_html("{}{}", table(columns, numbers) if numbers else "", more)
    content = format_html(
        '{}<details class="figure-numbers"><summary>Numbers</summary>{}</details>', drawing if numbers else "", tables
    )
    return format_html(
        '<figure class="figure" id="{}"><figcaption id="{}-headline">{}</figcaption>{}</figure>',
        name,
        name,
        headline,
        content if tables else "",
    )


def canvas(name: str, content: SafeString, *, height: int, linked: bool) -> SafeString:
    """Return the drawing. It isn't scaled: lengths across are in percent, so texts keep their size on any screen.

    A picture can have no links, so one with links is a group.
    """
    return format_html(
        '<svg class="figure-drawing" role="{}" aria-labelledby="{}-headline" width="100%" height="{}">{}</svg>',
        "group" if linked else "img",
        name,
        height,
        content,
    )


def linked(datum: Datum, content: SafeString, *, by_key: bool = True) -> SafeString:
    """Return the drawn datum, as a link if it has a page. Of many links, the Tab key finds those of the table."""
    if not datum.url:
        return content
    return format_html(
        '<a href="{}"{} aria-label="{}: {}">{}</a>',
        datum.url,
        "" if by_key else SafeString(' tabindex="-1"'),
        datum.label,
        datum.shown,
        content,
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> SafeString:
    head = format_html_join("", '<th scope="col">{}</th>', ((column,) for column in columns))
    body = format_html_join("", "<tr>{}</tr>", ((format_html_join("", "{}", map(_cell, row)),) for row in rows))
    return format_html('<table class="figures"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>', head, body)


def _cell(value: Any) -> tuple[SafeString]:
    if not isinstance(value, Datum):
        return (format_html('<th scope="row">{}</th>', value),)
    if value.url:
        return (format_html('<td><a href="{}">{}</a></td>', value.url, value.shown),)
    return (format_html("<td>{}</td>", value.shown),)


def share(value: float | None, whole: float) -> float:
    """Return a length in percent of `whole`; 0 without one."""
    return round(100 * (value or 0) / whole, 2) if whole else 0.0
