"""What is kept of a video around where somebody looks, and in which order it is decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from annotator.model.video.supply import FrameCache, Supply, Wish, size_of
from db.media.video import VideoReader
from db.recording.session import Segment
from films import Film

FRAME_BYTES = 96 * 64 * 3 // 2


class _Plane:
    buffer_size = 10


class _Frame:
    planes = (_Plane(),)


def test_the_cache_drops_the_least_recently_used_and_keeps_the_newest() -> None:
    cache = FrameCache(25)
    cache.put(0, _Frame())
    cache.put(30, _Frame())
    assert cache.get(0)
    cache.put(60, _Frame())
    assert (0 in cache, 30 in cache, 60 in cache, cache.bytes) == (True, False, True, 20)
    cache.put(60, _Frame())
    assert (len(cache), cache.bytes) == (2, 20)
    small = FrameCache(5)
    small.put(1, _Frame())
    small.put(2, _Frame())
    assert (1 in small, 2 in small, small.bytes) == (False, True, 10)


@pytest.fixture
def open_supply(tmp_path: Path) -> Iterator[Callable[..., Supply]]:
    supplies: list[Supply] = []

    def open_(film: Film, frames: int) -> Supply:
        reader = VideoReader(tmp_path, [Segment(name="video-000.mkv", first_frame=0)], film.frames(tmp_path))
        first = next(reader.run(0))[1]
        supplies.append(Supply(reader, frames * size_of(first)))
        return supplies[-1]

    yield open_
    for supply in supplies:
        supply.close()


def work(supply: Supply) -> list[int]:
    """Everything that is decoded until there is nothing left to do."""
    met = []
    for _ in range(5000):
        if not supply.is_busy:
            return met
        found = supply.advance()
        met += [found[0]] if found else []
    raise AssertionError("it never comes to rest")


def test_a_look_keeps_its_whole_group_and_decodes_nothing_more(open_supply) -> None:
    supply = open_supply(Film(count=120), 200)
    supply.aim(Wish(1, 45))
    assert work(supply) == list(range(30, 60))
    supply.aim(Wish(2, 31))
    assert not supply.is_busy


def test_the_wanted_frame_comes_before_the_rest_of_its_group(open_supply) -> None:
    supply = open_supply(Film(count=300, gop=1000), 400)
    supply.aim(Wish(1, 100))
    while supply.get(100) is None:
        supply.advance()
    assert supply.frames_decoded <= 101
    assert supply.is_busy


def test_of_a_group_larger_than_the_cache_a_part_is_kept(open_supply) -> None:
    supply = open_supply(Film(count=300, gop=1000), 20)
    supply.aim(Wish(1, 150))
    work(supply)
    assert all(index in supply.cache for index in range(145, 156))
    assert supply.cache.bytes <= 20 * FRAME_BYTES * 2
    decoded = supply.frames_decoded
    for back in range(1, 5):
        assert supply.get(150 - back) is not None
    assert supply.frames_decoded == decoded


def test_another_wish_ahead_in_a_long_group_goes_on_from_where_it_is(open_supply) -> None:
    supply = open_supply(Film(count=300, gop=1000), 40)
    supply.aim(Wish(1, 100))
    while supply.get(100) is None:
        supply.advance()
    before = supply.frames_decoded
    supply.aim(Wish(2, 140))
    while supply.get(140) is None:
        supply.advance()
    assert supply.frames_decoded - before <= 41


def test_playing_decodes_ahead_and_backward_in_whole_groups(open_supply) -> None:
    supply = open_supply(Film(count=240), 120)
    supply.aim(Wish(1, 100, 1, 0.001))
    assert max(work(supply)) == 159
    supply.aim(Wish(2, 200, -1, 0.001))
    met = work(supply)
    assert met[:21] == list(range(180, 201))
    assert all(index in supply.cache for index in range(150, 201))


@pytest.mark.parametrize("room", [1, 2, 3, 5])
def test_the_smallest_caches_come_to_rest_too(open_supply, room) -> None:
    supply = open_supply(Film(count=60), room)
    for wish in (Wish(1, 40), Wish(2, 41, 1, 0.001), Wish(3, 20, -1, 0.001), Wish(4, 0, -1), Wish(5, 59, 1)):
        supply.aim(wish)
        assert supply.get(wish.index) is not None or wish.index in work(supply)
        work(supply)


def test_too_fast_backward_only_the_starts_of_groups_are_decoded(open_supply) -> None:
    supply = open_supply(Film(count=240), 120)
    supply.aim(Wish(1, 239))
    work(supply)
    wish = Wish(2, 200, -1, 1e9)
    supply.aim(wish)
    assert work(supply) == [180]
    assert supply.stand_in(Wish(3, 190, -1, 1e9)) == 180
    assert supply.stand_in(Wish(4, 190, -1)) is None
