"""Stacked bars: parts of a whole. With one bar, the progress of something."""

from collections.abc import Iterator, Mapping, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from crm.figures.frame import Datum, canvas, frame, linked, share

ROW, LABEL, TOP, THICKNESS = 42, 14, 20, 18
# Drawn over the colour, so that neighbours differ without it: part by part, again from the start after the last.
PATTERNS = ("", "M0 8L8 0", "M0 4H8", "M4 0V8", "M0 0L8 8M0 8L8 0")


def stacked_bars(
    name: str, headline: str, rows: Mapping[str, Sequence[Datum]], *, columns: tuple[str, str, str]
) -> SafeString:
    """Return one bar of full width for each row, divided into its parts, and a legend with the number of each.

    All rows have the same parts in the same order.
    """
    drawn = format_html_join(
        "", "{}", ((_row(name, title, parts, at=ROW * n),) for n, (title, parts) in enumerate(rows.items()))
    )
    is_linked = any(part.url for parts in rows.values() for part in parts)
    drawing = canvas(name, format_html("{}{}", _patterns(name), drawn), height=ROW * len(rows), linked=is_linked)
    legend = format_html_join("", "{}", ((_legend(name, parts),) for parts in rows.values()))
    numbers = ((title, part.label, part) for title, parts in rows.items() for part in parts)
    return frame(name, headline, format_html("{}{}", drawing, legend), columns=columns, rows=numbers)


def progress(name: str, headline: str, parts: Sequence[Datum], *, columns: tuple[str, str]) -> SafeString:
    """Return one bar of the parts, and a legend with the number of each."""
    drawn = format_html("{}{}", _patterns(name), _parts(name, parts, at=0))
    drawing = canvas(name, drawn, height=THICKNESS, linked=any(part.url for part in parts))
    rows = ((part.label, part) for part in parts)
    return frame(name, headline, format_html("{}{}", drawing, _legend(name, parts)), columns=columns, rows=rows)


def _row(name: str, title: str, parts: Sequence[Datum], *, at: int) -> SafeString:
    label = format_html('<text class="figure-label" fill="currentColor" x="0" y="{}">{}</text>', at + LABEL, title)
    return format_html("{}{}", label, _parts(name, parts, at=at + TOP))


def _parts(name: str, parts: Sequence[Datum], *, at: int) -> SafeString:
    whole = sum(part.value or 0 for part in parts)

    def drawn() -> Iterator[tuple[SafeString]]:
        x = 0.0
        for n, part in enumerate(parts):
            width = share(part.value, whole)
            if width:
                yield (linked(part, _part(name, n, part.tone, x=x, width=width, at=at)),)
            x = round(x + width, 2)

    return format_html_join("", "{}", drawn())


def _part(name: str, n: int, tone: str, *, x: float, width: float, at: int) -> SafeString:
    place = format_html('x="{}%" y="{}" width="{}%" height="{}"', x, at, width, THICKNESS)
    return format_html(
        '<rect class="figure-mark figure-{}" fill="currentColor" {}></rect>'
        '<rect class="figure-edge" fill="url(#{}-pattern-{})" {}></rect>',
        tone,
        place,
        name,
        n % len(PATTERNS),
        place,
    )


def _patterns(name: str) -> SafeString:
    return format_html(
        "<defs>{}</defs>",
        format_html_join(
            "",
            '<pattern id="{}-pattern-{}" width="8" height="8" patternUnits="userSpaceOnUse">'
            '<path class="figure-pattern" d="{}" fill="none"></path></pattern>',
            ((name, n, path) for n, path in enumerate(PATTERNS)),
        ),
    )


def _legend(name: str, parts: Sequence[Datum]) -> SafeString:
    """Return a list of the parts in their order, each with its mark and number."""

    def items() -> Iterator[tuple[SafeString]]:
        for n, part in enumerate(parts):
            key = format_html(
                '<svg class="figure-key" width="14" height="14" aria-hidden="true">'
                '<rect class="figure-mark figure-{}" fill="currentColor" width="14" height="14"></rect>'
                '<rect fill="url(#{}-pattern-{})" width="14" height="14"></rect></svg>',
                part.tone,
                name,
                n % len(PATTERNS),
            )
            text = format_html("{} <strong>{}</strong>", part.label, part.shown)
            yield (format_html('{}<a href="{}">{}</a>', key, part.url, text) if part.url else key + text,)

    return format_html('<ul class="figure-legend">{}</ul>', format_html_join("", "<li>{}</li>", items()))
