from __future__ import annotations

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from db.media.colour import Converter, ScreenConverter, to_rgb, to_yuv


@pytest.mark.parametrize("size_px", [(64, 48), (322, 178), (1280, 720)])
def test_a_kept_conversion_gives_the_bytes_of_a_fresh_one(size_px: tuple[int, int]) -> None:
    """Training converts picture by picture, the recorder keeps its converter: both must see the same colours."""
    noise = np.random.default_rng(8)
    converter, interleaving = Converter(), Converter("nv12")
    for _ in range(3):
        bgra = noise.integers(0, 256, (size_px[1], size_px[0], 4), dtype=np.uint8)
        wrapped = av.VideoFrame.from_numpy_buffer(bgra, format="bgra")
        plain = wrapped.reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU601, dst_color_range=ColorRange.MPEG
        ).to_ndarray()
        assert (converter.convert(bgra).to_ndarray() == plain).all()
        assert (to_yuv(bgra).to_ndarray() == plain).all()
        height = size_px[1]
        nv12 = interleaving.convert(bgra).to_ndarray()
        assert (nv12[:height] == plain[:height]).all()
        chroma = plain[height:].reshape(2, -1)
        assert (chroma == nv12[height:].reshape(-1, 2).T).all()


def test_the_screen_shows_the_colours_that_a_model_sees() -> None:
    """But for rounding: the two formats are made by different routines, which differ in the odd last columns too."""
    noise, converter = np.random.default_rng(4), ScreenConverter()
    for size_px in ((64, 48), (640, 178)):
        blocks = noise.integers(0, 256, (size_px[1] // 2 + 1, size_px[0] // 2 + 1, 4), dtype=np.uint8)
        frame = to_yuv(blocks.repeat(2, axis=0).repeat(2, axis=1)[: size_px[1], : size_px[0]])
        shown = converter.convert(frame).to_ndarray()
        assert shown.shape == (size_px[1], size_px[0], 4)
        assert np.abs(shown[..., 2::-1].astype(int) - to_rgb(frame)).max() <= 2
