"""What can go wrong between the pictures and what a model says about them, each as one sentence."""

from __future__ import annotations

from db.errors import PlaytapeError


class VisionFailed(PlaytapeError):
    """The model cannot be asked, or its answer is of no use. Asking again would not help."""


class VisionBusy(VisionFailed):
    """It may work a little later: too many requests, a time-out, a connection that broke."""

    def __init__(self, text: str, after_s: float | None = None) -> None:
        """after_s: how long the other side asks to wait."""
        super().__init__(text)
        self.after_s = after_s


class BadReply(VisionFailed):
    """The model answered something else than was asked for; asking once more may help."""


class Stopped(VisionFailed):
    """A person stopped it."""
