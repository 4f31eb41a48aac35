"""Charts as SVG, drawn by the server: plain functions that return a `<figure>`.

Each has a headline that says what the data mean, its labels beside its marks, and its numbers as a table. Nothing is
told by colour alone. There is no script and no `style` attribute; `crm/figures.css` has the colours, and without it
everything has the colour of the text.
"""

from crm.figures.bars import bars
from crm.figures.frame import Datum, table
from crm.figures.line import line, sparkline
from crm.figures.stacked import progress, stacked_bars

__all__ = ["Datum", "bars", "line", "progress", "sparkline", "stacked_bars", "table"]
