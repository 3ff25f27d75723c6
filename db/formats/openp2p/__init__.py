"""open-p2p (Pixels2Play, arXiv 2601.04575): folders of `annotation.proto` and `192x192.mp4` or `video.mp4`, in and out.

How frames and annotations pair. Its recorder writes annotation j when it grabs frame j: the keys that are down then, the mouse's
motion since frame j - 1, the inputs that came in between. So annotation j tells of the interval from frame j - 1 to frame j, and
its trainer pairs frame i with annotation i + 1 and never reads annotation 0. In Playtape the action of span(i) = [t_i, t_i+1),
with `held` as it is at its end, belongs to frame i. They are the same actions, one number apart:

    our interval i  <->  annotation i + 1

There are as many annotations as frames, so that the last frame's interval has none: it is not known in what comes in, and
dropped in what goes out. An instruction over our frames [s, e) stands in annotation s + 1, with a duration for which its
reader's int(duration * 20) is e - s (`writing.duration_s`).
"""

from db.formats.format import Format
from db.formats.openp2p.reading import ANNOTATION, Reader
from db.formats.openp2p.writing import OPTIONS, Writer

FORMAT = Format(
    "open-p2p",
    "Pixels2Play's folders of annotation.proto and 192x192.mp4, 20 frames a second",
    reads=Reader(),
    writes=Writer(),
    marks=(ANNOTATION,),
    options=OPTIONS,
)
