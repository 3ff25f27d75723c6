"""OWAMcap, the recordings of open-world-agents: an MCAP file of JSON messages beside a video (MKV), in and out.

Source of the facts: the format guide and the packages `mcap-owa-support` and `owa-msgs` 0.6 (open-world-agents/open-world-agents),
read in November 2026. Times are nanoseconds since the epoch; a frame's message names the video and the frame's place in it.
"""

from __future__ import annotations

from db.formats.format import Format
from db.formats.owamcap.reading import Reader
from db.formats.owamcap.writing import FORMAT_NAME, Writer

FORMAT = Format(
    FORMAT_NAME,
    "an OWAMcap recording of open-world-agents: an MCAP file beside a video",
    reads=Reader(),
    writes=Writer(),
    endings=(".mcap",),
)
