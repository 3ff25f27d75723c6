"""VPT's contractor data (Video PreTraining, arXiv 2206.11795): `<name>.mp4` and `<name>.jsonl`, Minecraft at 20 Hz, in and out.

A line a frame: `keyboard.keys` and `mouse.buttons` are down in the frame's tick, `newKeys` and `newButtons` went down in it, `mouse.dx`
and `dy` are its motion, `dwheel` notches, `x` and `y` the pointer in a window of 1280x720 (from its upper left corner; `scaledX` and
`scaledY` count from its middle), `milli` the wall time in ms, `hotbar` the chosen slot from 0, `isGuiOpen` whether a menu is.
The frame of a line is what was seen as its action was taken, so line i is our interval i.

The quirks, as the published loader (openai/Video-Pre-Training, data_loader.py) knows them, and what is done here:
- The attack button may be down from the first line on although nobody holds it, until it is really pressed: it is taken away.
- Turning the wheel is not recorded, but the slot that it chooses is: a slot that changes without its key becomes a tap of that key.
- While a menu is open, recordings of some versions (5.7 to 6.9) count motion in another unit: it is brought to the usual one.
  The version is the name of the folder, as in the published addresses, or `--option version=`.
- A video may have more or fewer frames than there are lines.
"""

from db.formats.format import Format, Option
from db.formats.vpt.reading import Reader
from db.formats.vpt.writing import Writer

FORMAT = Format(
    "vpt",
    "VPT's contractor data: a video and a .jsonl of steps, Minecraft at 20 Hz",
    reads=Reader(),
    writes=Writer(),
    endings=(".jsonl",),
    options={
        "version": Option("in", "of the recorder, such as 6.9, where the folder's name does not say it"),
        "times": Option(
            "in", "those that the lines tell, or those of a video at 20 a second", choices=("lines", "video")
        ),
    },
)
