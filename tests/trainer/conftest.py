"""A toy game, recorded through the real writers, from which a small model learns in seconds."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

# Threads that wait by spinning take the processor from the one they wait for wherever something else runs beside the
# tests: hundredfold slower steps. Read when torch is loaded, so said before; child processes inherit it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

from db.labelling.labels import Edit, LabelKind, Review
from db.media.video import VideoWriter
from db.recording.events import Actor, ActorKind, EventKind, Gap, InputEvent
from db.recording.keys import CODES
from db.recording.session import WindowSpec, new_meta
from db.recording.writer import SessionWriter
from db.specs import CaptureSpec, ClipSpec
from db.store import Store
from trainer.configs import AugmentConfig, IdmConfig, OptimConfig, PolicyConfig
from trainer.data.dataset import freeze
from trainer.data.manifest import Manifest
from trainer.training.loop import load_data, train
from trainer.training.runs import new_run
from trainer.training.trial import plan

A, D, SPACE = CODES["KEY_A"], CODES["KEY_D"], CODES["KEY_SPACE"]
SIZE_PX = (64, 48)
RATE_HZ = 15.0
CLIP = ClipSpec(size_px=SIZE_PX, rate_hz=RATE_HZ)
PERSON = Actor(kind=ActorKind.PERSON, name="ada")
MODEL = Actor(kind=ActorKind.MODEL, name="m1")
CPU = torch.device("cpu")
_START_NS = 10**12


@dataclass(frozen=True)
class Act:
    """What is done in one interval."""

    held: frozenset[int] = frozenset()
    dx: int = 0


class ToyGame:
    """A textured background that the mouse pans, and a square that A and D push along and SPACE lights up."""

    def __init__(self, seed: int) -> None:
        coarse = np.random.default_rng(seed).integers(0, 180, (12, 128, 3))
        self._texture = np.kron(coarse, np.ones((4, 4, 1), np.int64)).astype(np.uint8)
        self._view, self._square, self._lit = 0, SIZE_PX[0] // 2, False

    def picture(self) -> np.ndarray:
        """(H, W, 4) BGRA."""
        bgra = np.full((SIZE_PX[1], SIZE_PX[0], 4), 255, np.uint8)
        bgra[..., :3] = np.take(self._texture, np.arange(SIZE_PX[0]) + self._view, axis=1, mode="wrap")
        bgra[34:44, self._square - 5 : self._square + 5, :3] = (60, 255, 255) if self._lit else (200, 40, 40)
        return bgra

    def apply(self, act: Act) -> None:
        self._view += act.dx // 4
        push = 3 * ((D in act.held) - (A in act.held))
        low, high = 6, SIZE_PX[0] - 6
        self._square = low + (self._square + push - low) % (high - low)
        self._lit = SPACE in act.held


Script = Callable[[np.random.Generator, int], tuple[list[Act], list[tuple[int, int, str]]]]


def play_script(rng: np.random.Generator, count: int) -> tuple[list[Act], list[tuple[int, int, str]]]:
    """`count` acts that follow instructions, and the instructions as (start, stop, text)."""
    acts: list[Act] = []
    spans = []
    while len(acts) < count:
        text = str(rng.choice(["push left", "push right", "look left", "look right", "flash the light"]))
        start = len(acts)
        for _ in range(int(rng.integers(3, 6))):
            held, dx = frozenset[int](), 0
            match text:
                case "push left":
                    held = frozenset({A})
                case "push right":
                    held = frozenset({D})
                case "flash the light":
                    held = frozenset({SPACE})
                case "look left":
                    dx = -4 * int(rng.integers(1, 6))
                case "look right":
                    dx = 4 * int(rng.integers(1, 6))
            acts += [Act(held, dx)] * int(rng.integers(3, 7)) + [Act()] * int(rng.integers(2, 5))
        spans.append((start, min(len(acts), count), text))
    return acts[:count], spans


def record_toy(
    store: Store,
    *,
    group: str,
    seed: int,
    seconds: float = 20.0,
    actors: tuple[Actor, ...] = (PERSON,),
    actor_at: Callable[[int], int] = lambda i: 0,
    gaps: tuple[Gap, ...] = (),
    accept: bool = True,
    spoil: Callable[[list[InputEvent]], list[InputEvent]] = lambda events: events,
) -> str:
    """Records, enters, labels and accepts one session; returns its id. Frame i is stamped `frame_ns(i)`.

    spoil: what becomes of the events, so that what is recorded is not what was done.
    """
    capture = CaptureSpec(rate_hz=RATE_HZ)
    window = WindowSpec(size_px=SIZE_PX, title="toy")
    meta = new_meta(game="toy", player="ada", capture=capture, window=window, actors=actors, group_id=group)
    folder = store.create_session(meta)
    writer, video = SessionWriter.create(folder, meta), VideoWriter(folder, SIZE_PX, capture)
    game = ToyGame(seed)
    acts, spans = play_script(np.random.default_rng(seed), int(seconds * RATE_HZ))
    down: frozenset[int] = frozenset()
    done: list[InputEvent] = []
    for i, act in enumerate(acts):
        t_ns = frame_ns(i)
        writer.write_frames([video.write(game.picture(), t_ns - 1000, t_ns)])
        events = [
            InputEvent(t_ns + 1000, EventKind.KEY, code=c, value=int(c in act.held)) for c in sorted(down ^ act.held)
        ]
        if act.dx:
            events.append(InputEvent(t_ns + 2000, EventKind.MOTION, x=float(act.dx)))
        done += [_by(event, actor_at(i)) for event in events]
        down = act.held
        game.apply(act)
    writer.write_events(sorted(spoil(done), key=lambda event: event.t_ns))
    for gap in gaps:
        writer.write_gap(gap)
    writer.commit()
    video.close()
    writer.finish(t_stop_ns=frame_ns(len(acts)), end_reason="duration", segments=video.segments)
    store.enter(meta.id)
    store.commit([instruction(meta.id, *span) for span in spans])
    if accept:
        store.set_review(meta.id, Review.ACCEPTED, "ada")
    return meta.id


def frame_ns(i: int) -> int:
    return _START_NS + round(i * 1e9 / RATE_HZ)


def instruction(session_id: str, start: int, stop: int, text: str) -> Edit:
    return Edit(
        session_id=session_id,
        kind=LabelKind.INSTRUCTION,
        start=start,
        stop=stop,
        value=text,
        author="ada",
        source="script",
    )


def _by(event: InputEvent, actor: int) -> InputEvent:
    return InputEvent(event.t_ns, event.kind, code=event.code, value=event.value, x=event.x, actor=actor)


@dataclass(frozen=True)
class Toys:
    """The toy game's tools, for tests."""

    record = staticmethod(record_toy)
    frame_ns = staticmethod(frame_ns)
    instruction = staticmethod(instruction)
    clip = CLIP
    person, model = PERSON, MODEL
    keys = (A, D, SPACE)


@pytest.fixture(scope="session")
def toys() -> Toys:
    return Toys()


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Several threads on a busy machine wait for each other, and only one thread gives the same sums every time."""
    torch.set_num_threads(1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "library") as opened:
        yield opened


@pytest.fixture(scope="session")
def toy_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five groups of 24 s, all accepted. Shared: tests may add runs, models and datasets, but change no session."""
    root = tmp_path_factory.mktemp("toy") / "library"
    with Store.open(root) as made:
        for number in range(5):
            record_toy(made, group=f"sitting-{number}", seed=number, seconds=24)
    return root


@pytest.fixture
def toy_store(toy_library: Path) -> Iterator[Store]:
    with Store.open(toy_library) as opened:
        yield opened


@pytest.fixture(scope="session")
def toy_manifest(toy_library: Path) -> Manifest:
    with Store.open(toy_library) as opened:
        return freeze(opened, clip=CLIP)


@pytest.fixture(scope="session")
def idm_library(toy_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the toy library with an IDM; tests may add sessions that are not accepted."""
    return Path(shutil.copytree(toy_library, tmp_path_factory.mktemp("idm") / "library"))


@pytest.fixture(scope="session")
def idm(idm_library: Path) -> str:
    """A tiny IDM, trained on the toy game until it knows it."""
    rows: list[Any] = []
    with Store.open(idm_library) as store:
        run = new_run(store, "idm")
        data = load_data(store, freeze(store, clip=CLIP), run, rows.append)
        budget = {"minutes": None, "steps": 300, "seed": 0, "device": CPU, "report": rows.append, "threads": 1}
        planned = plan(data, run, small_idm(), **budget)
        card = train(store, data, run, planned, device=CPU, report=rows.append, stopped=lambda: False)
        assert card is not None
        return card.id


def small_idm(**changes: object) -> IdmConfig:
    optim = OptimConfig(batch_size=8, rate=3e-3, warmup_steps=10, precision="float32", evaluations=2, ema_decay=0.95)
    return IdmConfig(
        name="toy", window=16, stem_pool=1, widths=(8, 16, 24), frame_features=48, shift_features=48, shift_px=(8, 2),
        shift_cells=(3, 2), hidden=32, mouse_smoothing_bins=0.0, dropout=0.1, optim=optim, augment=AugmentConfig(shift_share=0.0),
    ).model_copy(update=changes)  # fmt: skip


def small_policy(**changes: object) -> PolicyConfig:
    optim = OptimConfig(batch_size=8, rate=3e-3, warmup_steps=10, precision="float32", evaluations=2, ema_decay=0.95)
    return PolicyConfig(
        name="toy", window=12, widths=(8, 16, 24), frame_features=48, history=4, hidden=48, text_features=32,
        text_buckets=512, dropout=0.1, optim=optim, augment=AugmentConfig(shift_share=0.0),
    ).model_copy(update=changes)  # fmt: skip


@pytest.fixture(scope="session")
def configs() -> dict[str, Callable[..., object]]:
    """Small configurations by kind, to be called with changes."""
    return {"idm": small_idm, "policy": small_policy}
