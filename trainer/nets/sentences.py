"""Frozen sentence encoders that are already on this machine: instructions as the vectors of a model of others.

Nothing is ever downloaded, no code from a model's folder is run, and weights are read from safetensors alone. Each text is
encoded once; its vector is kept in `cache/sentences/<digest>/`, raw float32, and may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from db.errors import BadArgument, BadFile, NotFound
from trainer.configs import HASHED, IdmConfig, ModelConfig, SentenceSpec, VptConfig

INSTALLED = "installed"
PLACE = "PLAYTAPE_TEXT_ENCODER"
"""The environment variable that says where the encoder is, before anything else does."""
_WEIGHTS = "model.safetensors"
_PARTS = frozenset({"Transformer", "Pooling", "Normalize"})
_KNOWN = ("all-MiniLM-L6-v2", "all-MiniLM-L12-v2", "all-mpnet-base-v2", "multi-qa-MiniLM-L6-cos-v1")
"""Looked for in this order, before any other sentence encoder that is there."""
_HASHED_SUFFIXES = frozenset({".json", ".txt", ".safetensors", ".model"})
_PIECE_BYTES = 2**20

Vectors = NDArray[np.float32]


def find_folder(choice: str) -> Path:
    """The folder of an encoder: a path, or `installed` for one in the local cache. Raises NotFound, BadFile."""
    named = os.environ.get(PLACE) or choice
    folder = _installed() if named == INSTALLED else Path(named).expanduser()
    if not (folder / "config.json").is_file():
        raise NotFound(f"There is no sentence encoder in {folder}; put one there or set {PLACE} to its folder.")
    if not (folder / _WEIGHTS).is_file():
        raise BadFile(
            f"{folder} has no {_WEIGHTS}, the only kind of weights that is safe to read; use another encoder."
        )
    return folder.absolute()


def describe(folder: Path) -> SentenceSpec:
    """Which encoder this is, by what its files hold. Raises BadFile."""
    config = _read(folder / "config.json")
    with suppress(TypeError, ValueError):
        return SentenceSpec(name=folder.name, content=_digest(folder), width=config["hidden_size"])
    raise BadFile(f"{folder / 'config.json'} does not say how wide the vectors are; use another encoder.")


def read_with(config: ModelConfig, choice: str) -> ModelConfig:
    """The configuration of a model that reads instructions with this encoder, found here and named by its content.

    choice: `hashed`, `installed`, or a folder. Wordings are not varied for a frozen encoder: it knows them by itself, and
    texts that change every step would have to be encoded every step. Raises BadArgument, NotFound, BadFile.
    """
    if choice == HASHED:
        return config
    if isinstance(config, IdmConfig | VptConfig) or config.kind == "idm":
        raise BadArgument("An IDM reads no instructions; leave out --text-encoder.")
    folder = find_folder(choice)
    augment = config.augment.model_copy(update={"text_augment": 0.0})
    settled = {"text_encoder": str(folder), "sentences": describe(folder), "augment": augment}
    return config.model_copy(update=settled)


class Sentences:
    """Texts -> vectors of length 1, by one certain encoder, which is opened when a text comes that is not known yet."""

    def __init__(self, choice: str, spec: SentenceSpec) -> None:
        self.spec = spec
        self._choice = choice
        self._kept: Path | None = None
        self._known: dict[str, Vectors] = {}
        self._encoder: _Encoder | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Sentences:
        """Copies of a network share it: it never changes."""
        return self

    def keep_in(self, cache_dir: Path) -> None:
        """Where vectors are looked up and kept from here on."""
        self._kept = cache_dir / "sentences" / self.spec.content[:16]

    def require(self) -> Path:
        """The encoder's folder. Raises NotFound where it is not here, BadFile where it is another one."""
        try:
            folder = find_folder(self._choice)
        except NotFound as error:
            raise NotFound(f"This model needs the sentence encoder {self.spec.name} ({self._short}). {error}") from None
        found = _digest(folder)
        if found != self.spec.content:
            raise BadFile(
                f"{folder} holds another sentence encoder ({found[:12]}) than the model was trained with "
                f"({self.spec.name}, {self._short}); set {PLACE} to the folder of that one."
            )
        return folder

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """(N, width). Raises NotFound, BadFile, BadArgument where the encoder cannot be opened."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._known and not self._recall(text)]
        if fresh:
            self._encoder = self._encoder or _Encoder(self.require(), self.spec.width)
            for text, vector in zip(fresh, self._encoder.encode(fresh), strict=True):
                self._known[text] = vector
                self._keep(text, vector)
        return np.stack([self._known[text] for text in texts])

    @property
    def _short(self) -> str:
        return self.spec.content[:12]

    def _path(self, text: str) -> Path | None:
        name = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return self._kept / f"{name}.f32" if self._kept is not None else None

    def _recall(self, text: str) -> bool:
        path = self._path(text)
        with suppress(OSError):
            if path is not None and path.stat().st_size == 4 * self.spec.width:
                vector = np.frombuffer(path.read_bytes(), np.float32)
                if len(vector) == self.spec.width and np.isfinite(vector).all():
                    self._known[text] = vector.copy()
                    return True
        return False

    def _keep(self, text: str, vector: Vectors) -> None:
        """As a convenience: on a full disk it is encoded again the next time."""
        path = self._path(text)
        if path is None:
            return
        fresh = path.with_name(f"{uuid.uuid4().hex}.partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_bytes(vector.tobytes())
            fresh.replace(path)
        except OSError:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)


class _Encoder:
    """The encoder itself, on the processor."""

    def __init__(self, folder: Path, width: int) -> None:
        """Raises BadArgument where the package is missing, BadFile where the folder is damaged."""
        self._folder, self._width = folder, width
        self._takes_first = _pools_first(folder)
        os.environ["HF_HUB_OFFLINE"] = "1"
        try:
            package = importlib.import_module("transformers")
        except ImportError:
            raise BadArgument(
                "A sentence encoder needs the package transformers, which is not installed; install it or use "
                "--text-encoder hashed."
            ) from None
        with suppress(AttributeError):
            package.utils.logging.disable_progress_bar()
        how = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._tokenizer: Any = package.AutoTokenizer.from_pretrained(str(folder), **how)
            self._net: Any = package.AutoModel.from_pretrained(str(folder), use_safetensors=True, **how)
        except Exception as error:  # the package raises whatever its parts do
            raise BadFile(f"The sentence encoder in {folder} cannot be opened ({_said(error)}).") from None
        self._net.eval().requires_grad_(False)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """(N, width), one after the other, so that a vector never depends on the company of its text."""
        return np.stack([self._one(text) for text in texts])

    def _one(self, text: str) -> Vectors:
        with torch.inference_mode():
            fed = self._tokenizer([text], truncation=True, max_length=256, return_tensors="pt")
            states = self._net(**fed).last_hidden_state[0].float()
        pooled = states[0] if self._takes_first else states.mean(dim=0)
        if pooled.shape != (self._width,) or not torch.isfinite(pooled).all():
            raise BadFile(f"The sentence encoder in {self._folder} gives no vector of {self._width} finite numbers.")
        return np.asarray((pooled / pooled.norm().clamp(min=1e-9)).numpy(), np.float32)


def _installed() -> Path:
    """The first known sentence encoder in the cache of Hugging Face. Raises NotFound."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    there = {path.name.split("--")[-1]: path for path in sorted(cache.glob("models--sentence-transformers--*"))}
    for name in (*_KNOWN, *there):
        snapshots = sorted(there[name].glob("snapshots/*/config.json")) if name in there else []
        if snapshots:
            return snapshots[-1].parent
    raise NotFound(f"There is no sentence encoder in {cache}; name a folder with --text-encoder, or set {PLACE}.")


def _pools_first(folder: Path) -> bool:
    """Whether a text's vector is that of its first token; else it is the mean of all. Raises BadFile for anything else."""
    if (folder / "modules.json").is_file():
        parts = _read(folder / "modules.json")
        kinds = {str(part.get("type")).rsplit(".", 1)[-1] for part in parts if isinstance(part, dict)}
        if kinds - _PARTS:
            raise BadFile(
                f"{folder} has a part ({min(kinds - _PARTS)}) that Playtape does not run; use another encoder."
            )
    if not (folder / "1_Pooling" / "config.json").is_file():
        return False
    pooling = _read(folder / "1_Pooling" / "config.json")
    modes = {name for name, is_on in pooling.items() if name.startswith("pooling_mode_") and is_on is True}
    if modes - {"pooling_mode_cls_token", "pooling_mode_mean_tokens"} or len(modes) > 1:
        raise BadFile(f"{folder} pools in a way that Playtape does not; use another encoder.")
    return modes == {"pooling_mode_cls_token"}


def _digest(folder: Path) -> str:
    """SHA-256 over the names and contents of the files that make the encoder. Raises BadFile."""
    whole = hashlib.sha256()
    try:
        for path in sorted(p for p in folder.rglob("*") if p.suffix in _HASHED_SUFFIXES and p.is_file()):
            one = hashlib.sha256()
            with path.open("rb") as file:
                while piece := file.read(_PIECE_BYTES):
                    one.update(piece)
            whole.update(f"{path.relative_to(folder).as_posix()} {one.hexdigest()}\n".encode())
    except OSError as error:
        raise BadFile(f"The sentence encoder in {folder} cannot be read: {error.strerror}.") from None
    return whole.hexdigest()


def _read(path: Path) -> Any:
    """Raises BadFile."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadFile(f"{path} cannot be read ({_said(error)}); use another sentence encoder.") from None


def _said(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
