"""A plain pre-norm transformer: RMSNorm, rotary positions, normalised queries and keys, SwiGLU; with a cache for streams.

As Pixels2Play describes its backbone (Yue et al., Scaling Behavior Cloning Improves Causal Reasoning, 2026): Zhang and
Sennrich, Root Mean Square Layer Normalization, 2019; Su et al., RoFormer, 2021; Shazeer, GLU Variants Improve Transformer,
2020; Rybakov et al., Methods of Improving LLM Training Stability, 2024.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

_BASE = 10_000.0
_EPS = 1e-5
_MULTIPLE = 64
"""The inner width of a feed-forward layer is a multiple of this."""
REBASE_AT = 100_000
"""Positions are moved back to 0 from here on: an angle of many turns has lost its digits in float32."""


@dataclass(frozen=True, eq=False)
class Cache:
    """Keys and values of the tokens a stream still looks back on; per layer (1, heads, N, width of a head)."""

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    position: int
    """Of the next token."""

    def __len__(self) -> int:
        return self.keys[0].shape[2]

    def last(self, count: int) -> Cache:
        """Only the newest tokens."""
        cut = max(len(self) - count, 0)
        return Cache(tuple(k[:, :, cut:] for k in self.keys), tuple(v[:, :, cut:] for v in self.values), self.position)

    def rebased(self) -> Cache:
        """The same cache counted from 0: only distances between positions matter."""
        back = self.position - len(self)
        turned = tuple(rotate(k, torch.full((k.shape[2],), -back, device=k.device)) for k in self.keys)
        return Cache(turned, self.values, len(self))


class RmsNorm(nn.Module):
    """In float32 whatever the rest is in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        normed = wide * torch.rsqrt(wide.square().mean(dim=-1, keepdim=True) + _EPS)
        return (normed * self.weight).to(x.dtype)


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if width % heads or (width // heads) % 2:
            raise ValueError(f"{heads} heads of even width do not fit into {width}")
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.query_norm, self.key_norm = RmsNorm(width), RmsNorm(width)

    def forward(
        self, x: Tensor, positions: Tensor, mask: Tensor | None, past: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """x: (B, N, width); mask: (N, past + N) bool or None for all; returns what was attended to, keys and values."""
        batch, count, width = x.shape
        query, key, value = self.qkv(x).chunk(3, dim=-1)
        query, key = self.query_norm(query), self.key_norm(key)
        query, key, value = (t.view(batch, count, self.heads, -1).transpose(1, 2) for t in (query, key, value))
        query, key = rotate(query, positions), rotate(key, positions)
        if past is not None:
            key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.out(seen.transpose(1, 2).reshape(batch, count, width)), key, value


class SwiGlu(nn.Module):
    """Inner width 8/3 of the outer, as two gates take the place of one layer of four times the width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = -(-8 * width // 3 // _MULTIPLE) * _MULTIPLE
        self.gates = nn.Linear(width, 2 * inner, bias=False)
        self.out = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.gates(x).chunk(2, dim=-1)
        mixed: Tensor = self.out(functional.silu(gate) * value)
        return mixed


class Layer(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention_norm, self.mix_norm = RmsNorm(width), RmsNorm(width)
        self.attention, self.mix = Attention(width, heads), SwiGlu(width)

    def forward(
        self, x: Tensor, positions: Tensor, mask: Tensor | None, past: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        seen, keys, values = self.attention(self.attention_norm(x), positions, mask, past)
        x = x + seen
        return x + self.mix(self.mix_norm(x)), keys, values


class Transformer(nn.Module):
    """Layers and a final norm, over tokens that are embedded already."""

    def __init__(self, width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(width, heads) for _ in range(layers))
        self.norm = RmsNorm(width)
        for layer in self.layers:
            assert isinstance(layer, Layer)
            for out in (layer.attention.out, layer.mix.out):
                nn.init.normal_(out.weight, std=0.02 / (2 * layers) ** 0.5)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """(B, N, width) with a mask (N, N) that is True where a row may look at a column; None: everywhere."""
        positions = torch.arange(x.shape[1], device=x.device)
        for layer in self.layers:
            x, _, _ = layer(x, positions, mask, None)
        normed: Tensor = self.norm(x)
        return normed

    def extend(self, x: Tensor, mask: Tensor | None, cache: Cache | None) -> tuple[Tensor, Cache]:
        """The next tokens (1, N, width) of a stream; mask: (N, cached + N). Returns their outputs and the grown cache."""
        if cache is not None and cache.position > REBASE_AT:
            cache = cache.rebased()
        first = 0 if cache is None else cache.position
        positions = torch.arange(first, first + x.shape[1], device=x.device)
        keys, values = [], []
        for number, layer in enumerate(self.layers):
            past = None if cache is None else (cache.keys[number], cache.values[number])
            x, key, value = layer(x, positions, mask, past)
            keys.append(key)
            values.append(value)
        return self.norm(x), Cache(tuple(keys), tuple(values), first + x.shape[1])


def rotate(x: Tensor, positions: Tensor) -> Tensor:
    """(..., N, width) turned by its positions (N,): pairs of halves, in float32."""
    half = x.shape[-1] // 2
    rates = _BASE ** (-torch.arange(half, device=x.device, dtype=torch.float32) / half)
    angles = positions.to(torch.float32)[:, None] * rates
    cos, sin = angles.cos(), angles.sin()
    a, b = x.float().chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1).to(x.dtype)
