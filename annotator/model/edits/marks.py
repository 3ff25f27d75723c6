"""The in and out marks: the stretch that the next label will cover."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Marks:
    """Frames `[start, stop)`, either end possibly not set. The out mark includes the frame that it was set on."""

    start: int | None = None
    stop: int | None = None

    @property
    def stretch(self) -> tuple[int, int] | None:
        """Both ends, where both are set."""
        return None if self.start is None or self.stop is None else (self.start, self.stop)

    def with_in(self, frame: int) -> Marks:
        """The in mark on a frame; an out mark that would not be after it is forgotten."""
        return Marks(frame, self.stop if self.stop is not None and self.stop > frame else None)

    def with_out(self, frame: int) -> Marks:
        """The out mark on a frame, which it includes; an in mark after it is forgotten."""
        return Marks(self.start if self.start is not None and self.start <= frame else None, frame + 1)
