"""The picture that each tick of a sampled session shows."""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np

from db.formats.format import Tell
from db.formats.sampling import Sampling
from db.recording.reader import Recording

_TELL_EVERY = 50


def pictures(recording: Recording, ticks: Sampling, tell: Tell) -> Iterator[av.VideoFrame]:
    """One after the other, each frame decoded once. Raises BadFile where the video lacks one."""
    video = recording.video()
    wanted, counts = np.unique(ticks.frames, return_counts=True)
    try:
        for done, ((_, frame), count) in enumerate(zip(video.decode(wanted.tolist()), counts.tolist(), strict=True)):
            for _ in range(count):
                yield frame
            if done % _TELL_EVERY == 0:
                tell(done / len(wanted))
    finally:
        video.close()
