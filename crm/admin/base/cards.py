"""Cards of the admin's first page."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """A figure with a link to its rows. Urgent cards are highlighted."""

    title: str
    figure: str
    note: str
    url: str
    urgent: bool = False
