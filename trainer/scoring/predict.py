"""What a model says about one session, tick by tick, beside what was recorded: arrays for pictures and reports."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from db.errors import BadFile
from db.store import Store
from trainer.data.clips import load_session
from trainer.models import load_model
from trainer.scoring.inference import predict_take


def predict_session(store: Store, model_id: str, session_id: str) -> dict[str, np.ndarray]:
    """Arrays over T ticks and K keys.

    `ticks` (T,) frame indices, `edges_ns` (T + 1,), `codes` (K,), `thresholds` (K,), `probability` (T, K), `keys` (T, K),
    `motion` (T, 2), `true_keys`, `true_motion`, `known` (T,), `text` (T,) the instruction in force. Raises NotFound, BadFile.
    """
    loaded = load_model(store, model_id)
    card = loaded.card
    take = load_session(store, session_id, card.clip, card.space)
    said = predict_take(loaded.net, take, card.space, thresholds=card.thresholds)
    return {
        "ticks": take.ticks,
        "edges_ns": take.edges_ns,
        "codes": np.asarray(card.space.codes, np.int64),
        "thresholds": np.asarray(card.thresholds, np.float32),
        "probability": said.probability,
        "keys": said.keys,
        "motion": said.motion,
        "true_keys": take.keys,
        "true_motion": take.motion,
        "known": take.known,
        "text": np.asarray(take.texts)[take.text_ids],
    }


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Writes the arrays, compressed; read them with `numpy.load(path)`. Raises BadFile where that is not possible."""
    fresh = path.with_name(path.name + ".new")
    try:
        with fresh.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise BadFile(f"{path} cannot be written: {error.strerror}.") from None
