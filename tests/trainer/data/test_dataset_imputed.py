from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from db.errors import BadArgument, BadFile, NotFound, PlaytapeError
from db.labelling.labels import Edit, LabelKind, Review
from db.recording.actions import ActionTrack
from db.recording.events import Gap, GapReason
from db.specs import ClipSpec
from db.store import Store
from trainer.data.choice import Choice
from trainer.data.clips import load_takes
from trainer.data.dataset import freeze, require_split, verify
from trainer.data.imputed import digest_of, make_track, read_track, resample, track_path, write_track
from trainer.data.manifest import Manifest, read_manifest, tick_edges
from trainer.data.preview import preview

CODES = (30, 32)


def make(edges_ns: np.ndarray, confidence: float = 0.9, model: str = "m") -> ActionTrack:
    """Every other interval has the first key down and moves by three; the last one is unsure."""
    count = len(edges_ns) - 1
    held = np.zeros((count, 2), np.bool_)
    held[::2, 0] = True
    motion = np.zeros((count, 2), np.float32)
    motion[::2, 0] = 3
    sure = np.full((count, 2), confidence, np.float32)
    sure[-1, 1] = 0.4
    return make_track(edges_ns, CODES, held, motion, np.ones(count, np.bool_), sure, model)


class Stand:
    """Imputes what `make` makes; refuses the sessions that it is told to."""

    model = "m"

    def __init__(self, min_confidence: float = 0.5, refused: str = "") -> None:
        self.min_confidence, self._refused = min_confidence, refused

    def track(self, store: Store, session_id: str, clip: ClipSpec) -> ActionTrack:
        if session_id == self._refused:
            raise BadArgument("The model does not fit.")
        edges = tick_edges(store.recording(session_id), clip)[1]
        return resample(make(edges), edges, self.min_confidence)


def record_video(store: Store, toys: Any, seed: int, group: str = "videos", **more: Any) -> str:
    gap = Gap(toys.frame_ns(0), toys.frame_ns(60), GapReason.UNRECORDED)
    made: str = toys.record(store, group=group, seed=seed, seconds=4, gaps=(gap,), accept=False, **more)
    return made


@pytest.fixture
def mixed(store: Store, toys: Any) -> tuple[list[str], list[str]]:
    """Four sessions of people, two videos."""
    people = [toys.record(store, group=group, seed=i, seconds=4) for i, group in enumerate("abcd")]
    return people, [record_video(store, toys, seed) for seed in (7, 8)]


def test_the_same_actions_between_the_same_edges() -> None:
    edges = np.arange(11, dtype=np.int64) * 100
    track = make(edges)
    same = resample(track, edges, 0.0)
    assert digest_of(same) == digest_of(track)
    assert resample(track, edges, 0.5).known.tolist() == [True] * 9 + [False]
    assert not resample(track, edges, 0.95).known.any()


def test_between_other_edges_motion_is_neither_lost_nor_made() -> None:
    edges = np.arange(11, dtype=np.int64) * 100
    track = make(edges)
    finer = resample(track, np.arange(21, dtype=np.int64) * 50, 0.0)
    assert finer.motion.sum(axis=0) == pytest.approx(track.motion.sum(axis=0))
    assert np.array_equal(finer.held, np.repeat(track.held, 2, axis=0))
    coarser = resample(track, np.array([0, 250, 500, 1000], np.int64), 0.0)
    assert coarser.motion[:, 0] == pytest.approx([4.5, 4.5, 6.0])
    assert finer.presses.sum() == track.presses.sum() == 4, "a key down from the start was not pressed"


def test_a_track_is_kept_as_it_was(tmp_path: Any) -> None:
    track = make(np.arange(11, dtype=np.int64) * 100)
    path = tmp_path / "folder" / "track.npz"
    write_track(path, track)
    again = read_track(path, "m")
    assert digest_of(again) == digest_of(track)
    assert (again.source, again.codes) == ("run:m", CODES)
    assert [p.name for p in path.parent.iterdir()] == ["track.npz"]


@pytest.mark.parametrize("damage", ["cut", "empty", "pickle", "shapes", "times", "missing"])
def test_damaged_tracks_are_refused(tmp_path: Any, damage: str) -> None:
    track = make(np.arange(11, dtype=np.int64) * 100)
    path = tmp_path / "track.npz"
    write_track(path, track)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "pickle":
        np.savez(path, **{name: np.array([object()], dtype=object) for name in ("edges_ns", "codes", "held")})
    elif damage == "shapes":
        write_track(path, replace(track, motion=track.motion[:3]))
    elif damage == "times":
        write_track(path, replace(track, edges_ns=track.edges_ns[::-1].copy()))
    else:
        path.unlink()
    with pytest.raises(BadFile, match="freeze the dataset again"):
        read_track(path, "m")


def test_videos_are_trained_on_and_change_nothing_else(
    store: Store, toys: Any, mixed: tuple[list[str], list[str]]
) -> None:
    people, videos = mixed
    plain = freeze(store, clip=toys.clip)
    counts = preview(store, Choice(), clip=toys.clip)
    assert (counts.sessions, counts.videos) == (4, 2)
    assert counts.video_hours == pytest.approx(8 / 3600, abs=1e-4)
    manifest = freeze(store, clip=toys.clip, imputer=Stand())
    assert [item.session_id for item in manifest.of("train", "imputed")] == sorted(videos)
    assert manifest.items[:4] == plain.items
    assert manifest.hours == plain.hours
    assert manifest.imputed_hours == pytest.approx(2 * (4 - 1 / 15) / 3600, abs=1e-4)
    assert {item.session_id for item in manifest.items if item.imputed is None} == set(people)
    assert freeze(store, clip=toys.clip, imputer=Stand()).hash == manifest.hash != plain.hash
    verify(store, manifest)
    takes = load_takes(store, manifest, manifest.of("train", "imputed"))
    for take in takes:
        assert take.known.tolist() == [True] * 59 + [False], "what the model is not sure of is not learnt"
        columns = [manifest.space.codes.index(code) for code in CODES if code in manifest.space.codes]
        assert take.keys[::2, columns[0]].all()
        assert np.array_equal(take.watched, take.known)
    assert {item.imputed is None for item in require_split(manifest, "train")} == {True}
    with pytest.raises(NotFound, match="no train split with imputed actions"):
        require_split(plain, "train", "imputed")


def test_what_is_private_or_trimmed_is_not_learnt(store: Store, toys: Any, mixed: tuple[list[str], list[str]]) -> None:
    video = sorted(mixed[1])[0]
    flag = Edit(session_id=video, kind=LabelKind.FLAG, start=4, stop=8, value="private", author="ada")
    store.commit([flag, Edit(session_id=video, kind=LabelKind.TRIM, start=50, stop=60, author="ada")])
    manifest = freeze(store, clip=toys.clip, imputer=Stand())
    [take, _] = load_takes(store, manifest, manifest.of("train", "imputed"))
    assert np.flatnonzero(~take.known).tolist() == [4, 5, 6, 7, *range(50, 60)]


def test_videos_of_what_is_held_out_or_refused_are_left_out(
    store: Store, toys: Any, mixed: tuple[list[str], list[str]]
) -> None:
    _, videos = mixed
    held_out = freeze(store, clip=toys.clip).of("held-out")[0].group_id
    leak = record_video(store, toys, 9, group=held_out)
    store.set_review(record_video(store, toys, 10), Review.REJECTED, "ada")
    manifest = freeze(store, clip=toys.clip, imputer=Stand(refused=videos[0]))
    assert [item.session_id for item in manifest.of("train", "imputed")] == [videos[1]]
    said = {warning.split()[1]: warning for warning in manifest.warnings if warning.startswith("Session")}
    assert "held out" in said[leak]
    assert "does not fit" in said[videos[0]]
    unsure = freeze(store, clip=toys.clip, imputer=Stand(min_confidence=0.99))
    assert not unsure.of("train", "imputed")
    assert "nowhere sure enough" in " ".join(unsure.warnings)


def test_what_was_imputed_to_a_session_goes_with_it(
    store: Store, toys: Any, mixed: tuple[list[str], list[str]]
) -> None:
    manifest: Manifest = freeze(store, clip=toys.clip, imputer=Stand())
    first, second = manifest.of("train", "imputed")[:2]
    assert first.imputed is not None
    assert second.imputed is not None
    paths = [track_path(store, manifest.id, i.session_id, i.imputed.track) for i in (first, second) if i.imputed]
    store.redact(first.session_id, [(3, 9)])
    assert [path.exists() for path in paths] == [False, True]
    with pytest.raises(PlaytapeError, match="freeze"):
        load_takes(store, manifest, [first])
    store.delete(second.session_id)
    assert not paths[1].exists()
    with pytest.raises(PlaytapeError):
        load_takes(store, manifest, [second])


def test_changed_tracks_are_noticed(store: Store, toys: Any, mixed: tuple[list[str], list[str]]) -> None:
    manifest: Manifest = freeze(store, clip=toys.clip, imputer=Stand())
    item = read_manifest(store, manifest.id).of("train", "imputed")[0]
    assert item.imputed is not None
    path = track_path(store, manifest.id, item.session_id, item.imputed.track)
    track = read_track(path, "m")
    assert track.confidence is not None
    write_track(path, replace(track, confidence=track.confidence * np.float32(0.5)))
    with pytest.raises(BadFile, match="were changed"):
        verify(store, manifest)
    path.unlink()
    with pytest.raises(BadFile, match="cannot be read"):
        load_takes(store, manifest, [item])
