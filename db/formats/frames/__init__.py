"""Frames and actions as researchers take them: one video, and one row of a table for each of its frames.

<folder>/video.mkv                    all frames of the session
<folder>/frames.csv or .parquet       a row per frame, in order
<folder>/about.json                   game, player, sizes and what the columns mean

The columns: `frame` from 0; `t_s`, seconds after the first frame; `known` (1: inputs were watched for all of this frame);
`used` (0: a person left it out); `actor`; `instruction`, the one in force; `flags`, joined by `|`; `dx`, `dy`, the mouse's
motion in device counts, right and down; `scroll_x`, `scroll_y` in notches, right and up. Then two for each key by its evdev
name: `KEY_W`, 1 while it is down at the end of the frame's interval, and `KEY_W.presses`, how often it went down in it, so
that a key tapped within one frame reads 0 and 1. What was done in the interval [t_s of this row, t_s of the next) stands in
this row, and can be seen in the next frame at the earliest (`db.clock.FrameClock`).

To come in, a table needs as many rows as the video has frames, and any of these columns; `t_s` is needed, without
`known` all inputs count. Times within a frame's interval are not in a table: presses that come in are spread
over it. Sessions that are to come back as they were travel as `.playtape` files (`db.formats.interchange`).
"""

from db.formats.format import Format
from db.formats.frames.reading import Reader, import_frames
from db.formats.frames.writing import Writer, export_frames, join_segments

__all__ = ["FORMAT", "PARQUET", "export_frames", "import_frames", "join_segments"]

FORMAT = Format(
    "frames",
    "a folder each with video.mkv and frames.csv, a row of actions a frame",
    reads=Reader(),
    writes=Writer(parquet=False),
    marks=("frames.csv",),
)
PARQUET = Format(
    "frames-parquet",
    "the same with frames.parquet (needs pyarrow)",
    reads=Reader(),
    writes=Writer(parquet=True),
    marks=("frames.parquet",),
)
