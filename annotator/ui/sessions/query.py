"""What the list of sessions is asked for: which sessions, in which order."""

from __future__ import annotations

from dataclasses import dataclass, field

from db.library.catalogue import Wanted
from db.library.listing import Order

__all__ = ["Order", "Query"]

_FIRST: dict[Order, tuple[str, str]] = {
    Order.DATE: ("oldest first", "newest first"),
    Order.GAME: ("games from A to Z", "games from Z to A"),
    Order.PLAYER: ("players from A to Z", "players from Z to A"),
    Order.LENGTH: ("shortest first", "longest first"),
    Order.FRAMES: ("fewest frames first", "most frames first"),
    Order.SIZE: ("smallest first", "largest first"),
    Order.VERDICT: ("bad ones first", "usable ones first"),
    Order.REVIEW: ("by status, A to Z", "by status, Z to A"),
}


@dataclass(frozen=True)
class Query:
    """A question to the library. Equal questions get equal answers while nobody writes to it."""

    wanted: Wanted = field(default_factory=Wanted)
    order: Order = Order.DATE
    is_descending: bool = True

    @property
    def is_filtered(self) -> bool:
        return self.wanted != Wanted(trashed=self.wanted.trashed)

    @property
    def order_words(self) -> str:
        """Such as `newest first`: the order of the list, and so of the queue."""
        return _FIRST[self.order][self.is_descending]
