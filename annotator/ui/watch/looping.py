"""Playing a stretch round and round, to look closely before saying what happens in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from annotator.ui.annotate.editing import Editing


def loop_or_stop(editing: Editing) -> None:
    """Loops what lies between the marks, else the selected span; where one is looped already, ends that and pauses."""
    player, stretch = editing.player, editing.stretch
    if player.loop is not None:
        player.set_loop(None)
        player.pause()
    elif stretch is None:
        editing.refused.emit("Set marks with I and O around what to loop first, or select a span.")
    else:
        player.set_loop(range(*stretch))
