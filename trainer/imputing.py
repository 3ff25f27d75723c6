"""Imputes the actions of whole sessions with an IDM, for a dataset. What was worked out once is kept in the cache."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from db.errors import BadArgument, BadFile
from db.recording.actions import ActionTrack
from db.specs import ClipSpec
from db.store import Store
from trainer.data.clips import Take, load_session
from trainer.data.imputed import DEFAULT_CONFIDENCE, make_track, read_track, resample, write_track
from trainer.data.manifest import tick_edges
from trainer.label import BLOCK_TICKS, check_fits, predict_part
from trainer.models import Loaded, choose_device, load_model
from trainer.training.stopping import Stopped

Progress = Callable[[str, int, int], None]
"""Hears (session, ticks done, in all)."""


@dataclass
class Imputer:
    """An IDM that gives sessions their actions; see `trainer.data.imputed.Imputes`."""

    loaded: Loaded
    min_confidence: float
    any_game: bool = False
    progress: Progress = lambda session_id, done, total: None
    stopped: Callable[[], bool] = lambda: False

    @property
    def model(self) -> str:
        return self.loaded.card.id

    def track(self, store: Store, session_id: str, clip: ClipSpec) -> ActionTrack:
        """The actions at the ticks of `clip`, known where the model is sure enough.

        Raises BadArgument where the model does not fit the session, Stopped, BadFile, DiskFull.
        """
        recording = store.recording(session_id)
        check_fits(store, self.loaded.card, recording, any_game=self.any_game)
        found = self._kept(store, session_id, recording.meta.revision)
        return resample(found, tick_edges(recording, clip)[1], self.min_confidence)

    def _kept(self, store: Store, session_id: str, revision: int) -> ActionTrack:
        """The actions at the model's own ticks, from the cache where they are there, whatever confidence is asked for."""
        path = store.cache_dir / "imputed" / f"{session_id}-r{revision}-{self.model}.npz"
        try:
            return read_track(path, self.model)
        except BadFile:
            track = self._predict(load_session(store, session_id, self.loaded.card.clip, self.loaded.card.space))
            write_track(path, track)
            return track

    def _predict(self, take: Take) -> ActionTrack:
        card = self.loaded.card
        held, motion, sure = [], [], []
        for first in range(0, len(take), BLOCK_TICKS):
            self.progress(take.item.session_id, first, len(take))
            if self.stopped():
                raise Stopped
            said = predict_part(self.loaded, take, first, min(first + BLOCK_TICKS, len(take)))
            held.append(said.keys)
            motion.append(said.motion)
            sure.append(np.where(said.keys, said.probability, 1 - said.probability))
        self.progress(take.item.session_id, len(take), len(take))
        return make_track(
            edges_ns=take.edges_ns,
            codes=card.space.codes,
            held=np.concatenate(held),
            motion=np.concatenate(motion).astype(np.float32),
            known=np.ones(len(take), np.bool_),
            confidence=np.concatenate(sure).astype(np.float32),
            model=card.id,
        )


def open_imputer(
    store: Store,
    model_id: str,
    *,
    min_confidence: float = DEFAULT_CONFIDENCE,
    any_game: bool = False,
    device: str = "auto",
    threads: int | None = None,
    progress: Progress = lambda session_id, done, total: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Imputer:
    """Raises NotFound, BadFile, TooNew; BadArgument where the model is no IDM."""
    if not 0 <= min_confidence <= 1:
        raise BadArgument("--min-confidence must lie between 0 and 1.")
    if threads is not None:
        torch.set_num_threads(threads)
    loaded = load_model(store, model_id, choose_device(device))
    if loaded.card.kind != "idm":
        raise BadArgument(f"{model_id} is a {loaded.card.kind}; actions are imputed by an IDM, so name one of those.")
    return Imputer(loaded, min_confidence, any_game, progress, stopped)
