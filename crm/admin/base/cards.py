"""What staff see first: a few figures, each a link to its rows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """One figure on the first page. An urgent one is coloured."""

    title: str
    figure: str
    note: str
    url: str
    urgent: bool = False
