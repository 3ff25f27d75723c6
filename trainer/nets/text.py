"""Instructions as hashed features: a learnt text encoder that needs no vocabulary and nothing to download."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from db.errors import BadArgument
from trainer.configs import HASHED, P2PConfig, PolicyConfig
from trainer.nets.sentences import Sentences

_WORD = re.compile(r"\w+", re.UNICODE)
_PAIRS = (
    "left right", "leftward rightward", "leftwards rightwards", "lefthand righthand", "links rechts", "linke rechte",
    "linken rechten", "gauche droite", "izquierda derecha", "sinistra destra", "esquerda direita", "lewo prawo",
    "vlevo vpravo", "vänster höger", "venstre højre",
)  # fmt: skip
_SWAP = {a: b for pair in _PAIRS for a, b in (pair.split(), pair.split()[::-1])}


def hash_features(text: str, buckets: int) -> list[int]:
    """Ids in [1, buckets) of the words, the word pairs and the 3- to 5-letter pieces of a text; 0 is kept for nothing.

    Stable over machines and versions (CRC-32 of UTF-8), case-folded. An empty text has no features.
    """
    words = _WORD.findall(text.casefold())
    pairs = [_bucket(f"p:{a} {b}", buckets) for a, b in pairwise(words)]
    return [*pairs, *(feature for word in words for feature in _word_features(word, buckets))]


def _word_features(word: str, buckets: int) -> list[int]:
    framed = f"<{word}>"
    pieces = [f"c:{framed[i : i + n]}" for n in (3, 4, 5) for i in range(len(framed) - n + 1)]
    return [_bucket(feature, buckets) for feature in (f"w:{word}", *pieces)]


def _bucket(feature: str, buckets: int) -> int:
    return 1 + zlib.crc32(feature.encode()) % (buckets - 1)


def mirror_text(text: str) -> str:
    """The instruction as it reads in a mirrored world: left and right trade places."""
    return _WORD.sub(lambda match: _swap(match.group()), text)


def _swap(word: str) -> str:
    other = _SWAP.get(word.casefold())
    if other is None:
        return word
    return other.capitalize() if word[0].isupper() else other


def make_text_encoder(config: PolicyConfig | P2PConfig, width: int) -> TextEncoder | SentenceEncoder:
    """Texts -> (N, width), as the configuration wants them read. Raises BadArgument where its encoder was not found yet."""
    if config.sentences is not None:
        return SentenceEncoder(Sentences(config.text_encoder, config.sentences), width)
    if config.text_encoder != HASHED:
        raise BadArgument(f"The sentence encoder {config.text_encoder} was not looked for; start a new run.")
    return TextEncoder(config.text_buckets, config.text_features, width)


class SentenceEncoder(nn.Module):
    """Texts -> (N, width), by a frozen encoder and two learnt layers. An empty text gives a learnt vector of its own."""

    def __init__(self, sentences: Sentences, width: int) -> None:
        super().__init__()
        self.sentences = sentences
        self.nothing = nn.Parameter(torch.zeros(sentences.spec.width))
        self.net = nn.Sequential(
            nn.LayerNorm(sentences.spec.width), nn.Linear(sentences.spec.width, width), nn.SiLU(),
            nn.Linear(width, width), nn.LayerNorm(width),
        )  # fmt: skip
        nn.init.normal_(self.nothing, std=0.5)

    def forward(self, texts: Sequence[str]) -> Tensor:
        said = [text for text in texts if text.strip()]
        rows = self.nothing.expand(len(texts), -1)
        if said:
            given = torch.tensor([bool(text.strip()) for text in texts], device=rows.device)
            vectors = torch.from_numpy(self.sentences.vectors(said)).to(rows.device)
            rows = rows.masked_scatter(given[:, None], vectors)
        encoded: Tensor = self.net(rows)
        return encoded


class TextEncoder(nn.Module):
    """Texts -> (N, width). An empty text gives a learnt vector of its own.

    Features that were never heard in training hold nothing but chance, and are left out. A text of which less than half of
    the words were heard counts as none: no instruction is better followed than a wrong one.
    """

    heard: Tensor

    def __init__(self, buckets: int, features: int, width: int) -> None:
        super().__init__()
        self.buckets = buckets
        self.table = nn.EmbeddingBag(buckets, features, mode="mean")
        self.nothing = nn.Parameter(torch.zeros(features))
        self.net = nn.Sequential(
            nn.LayerNorm(features), nn.Linear(features, width), nn.SiLU(), nn.Linear(width, width), nn.LayerNorm(width)
        )
        nn.init.normal_(self.nothing, std=0.5)
        self.register_buffer("heard", torch.zeros(buckets, dtype=torch.bool))

    def hear(self, texts: Iterable[str]) -> None:
        """These will be trained on, beside those that were heard before. Before the first one every feature counts."""
        for text in texts:
            self.heard[hash_features(text, self.buckets)] = True

    def forward(self, texts: Sequence[str]) -> Tensor:
        heard = self.heard.cpu().numpy()
        ids = [self._features(text, heard) for text in texts]
        flat = torch.tensor([i for row in ids for i in row], dtype=torch.long)
        starts = torch.tensor([0, *(len(row) for row in ids[:-1])], dtype=torch.long).cumsum(0)
        device = self.nothing.device
        bags: Tensor = (
            self.table(flat.to(device), starts.to(device))
            if len(flat)
            else self.nothing.new_zeros(len(ids), len(self.nothing))
        )
        empty = torch.tensor([not row for row in ids], device=device)[:, None]
        encoded: Tensor = self.net(torch.where(empty, self.nothing.to(bags.dtype), bags))
        return encoded

    def _features(self, text: str, heard: NDArray[np.bool_]) -> list[int]:
        """heard: (buckets,). A word was heard where all of its features were: single ones may share a bucket by chance."""
        features = hash_features(text, self.buckets)
        if not heard.any():
            return features
        words = _WORD.findall(text.casefold())
        known = sum(heard[_word_features(word, self.buckets)].all() for word in words)
        return [feature for feature in features if heard[feature]] if 2 * known >= len(words) else []
