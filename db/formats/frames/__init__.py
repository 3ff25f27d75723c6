"""Frames and actions as researchers take them: one video, and one row of a table for each of its frames.

<folder>/video.mkv                    all frames of the session
<folder>/frames.csv or .parquet       a row per frame, in order
<folder>/about.json                   game, player, sizes and what the columns mean

The columns: `db.formats.frames.layout`, where `COLUMNS` are one each and `KEY_COLUMNS` two for each key. What was done in the interval
[t_s of this row, t_s of the next) stands in this row (`db.clock.FrameClock`).

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
