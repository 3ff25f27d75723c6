"""Pixels2Play's transformer: a policy that is told what to do and what was done, or an IDM that sees the future.

After Yue et al., Scaling Behavior Cloning Improves Causal Reasoning (2026), section 3 and table 2. Each frame gives a text
token, image tokens, a token to think with, the token that acts, and then the tokens of what was really done. Tokens look
back in their order and never at a past acting token, so that the acting token of a frame sees its text and its pictures and
everything before, but not the action of its own frame. A small decoder turns the acting token into the slots of an action,
one after the other. The IDM has no text and no actions in, looks both ways, and its slots are decoded at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from db.specs import ActionSpace, ClipSpec
from trainer.configs import P2PConfig
from trainer.nets.efficientnet import CHANNELS, STRIDE, EfficientNet
from trainer.nets.heads import MIN_KNOWN, Outputs, Targets
from trainer.nets.slots import Layout
from trainer.nets.text import make_text_encoder
from trainer.nets.transformer import Cache, Transformer

_TEXT, _IMAGE, _THINK, _ACT, _DONE = range(5)
"""Kinds of tokens."""
_STD = 0.02


@dataclass(frozen=True, eq=False)
class P2PState:
    """What a stream carries from frame to frame."""

    cache: Cache | None = None


class P2P(nn.Module):
    """One module for both kinds; `config.kind` says which."""

    def __init__(self, config: P2PConfig, clip: ClipSpec, space: ActionSpace) -> None:
        super().__init__()
        self.config = config
        self.layout = Layout(space, config.key_slots, config.button_slots)
        width = config.width
        cells = math.prod(-(-side // STRIDE) for side in clip.size_px)
        self.encoder = EfficientNet()
        self.picture = nn.Linear(CHANNELS * cells, config.image_tokens * width)
        self.backbone = Transformer(width, config.layers, config.heads)
        self.decoder = Transformer(width, config.decoder_layers, config.decoder_heads)
        self.kinds = nn.Embedding(5, width)
        self.think, self.act = nn.Parameter(torch.zeros(width)), nn.Parameter(torch.zeros(width))
        self.slot_kinds = nn.Embedding(len(self.layout), width)
        self.heads = nn.ModuleList(nn.Linear(width, count) for count in self.layout.classes)
        if self.is_policy:
            self.text = make_text_encoder(config, width)
            self.values = nn.ModuleList(nn.Embedding(count, width) for count in self.layout.classes)
            self.unknown = nn.Parameter(torch.zeros(width))
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=_STD)
        for parameter in (self.think, self.act):
            nn.init.normal_(parameter, std=_STD)
        for head in self.heads:
            assert isinstance(head, nn.Linear)
            nn.init.normal_(head.weight, std=_STD)
            nn.init.zeros_(head.bias)

    @property
    def is_policy(self) -> bool:
        return self.config.kind == "policy"

    @property
    def sees_actions(self) -> bool:
        return self.is_policy and self.config.sees_actions

    @property
    def tokens_per_frame(self) -> int:
        return int(self.is_policy) + self.config.image_tokens + 2 + (len(self.layout) if self.sees_actions else 0)

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """(N, width), one row a text."""
        encoded: Tensor = self.text(texts)
        return encoded

    def latents(self, frames: Tensor, texts: Tensor | None, done: Targets | None = None) -> Tensor:
        """The outputs of the acting tokens, (B, T, width).

        frames: (B, T, 3, H, W) RGB in [0, 1]. texts: (B, T, width) for a policy. done: what was really done in each frame,
        of which frame t is seen from t + 1 on; rows that are not known are seen as such.
        """
        batch, length = frames.shape[:2]
        tokens, at = self._embed(frames, texts, done)
        mask = self._mask(length, frames.device) if self.is_policy else None
        out: Tensor = self.backbone(tokens.flatten(1, 2), mask)
        return out.view(batch, length, self.tokens_per_frame, -1)[:, :, at]

    def loss(
        self, frames: Tensor, texts: Tensor | None, targets: Targets, watched: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Sum over slots of cross-entropy / ln(classes) with a z-loss, and the mean cross-entropy of each part in nats.

        Rows that are not known are context and no targets; with none known it is 0, never NaN. watched: (B, T), the rows
        whose actions are told as done, such as a model's own, from which nothing is learnt.
        """
        latent = self.latents(frames, texts, replace(targets, known=watched))
        wanted = self.layout.encode(targets.keys, targets.dx, targets.dy)
        logits = self._decode(latent.flatten(0, 1), wanted.flatten(0, 1))
        known = targets.known.float().flatten()
        total = known.sum().clamp(min=MIN_KNOWN)
        whole = latent.new_zeros((), dtype=torch.float32)
        parts = {"keys": whole, "dx": whole, "dy": whole}
        for slot, said in enumerate(logits):
            said = said.float()
            if said.shape[-1] < 2:
                continue
            nats = (
                functional.cross_entropy(said, wanted.flatten(0, 1)[:, slot], reduction="none") * known
            ).sum() / total
            z = (said.logsumexp(dim=-1).square() * known).sum() / total
            whole = whole + nats / math.log(said.shape[-1]) + self.config.z_loss * z
            name = {self.config.key_slots: "dx", self.config.key_slots + 1: "dy"}.get(slot, "keys")
            parts[name] = parts[name] + nats.detach()
        return whole, parts

    def forward(self, frames: Tensor, texts: Tensor | None = None, done: Targets | None = None) -> Outputs:
        """As every model's: the chance of each key and bin, as logits (B, T, ...). A policy's are means over `draws` actions,
        drawn by a generator of its own, so that the same clip gives the same numbers.
        """
        latent = self.latents(frames, texts, done)
        flat = latent.flatten(0, 1)
        if not self.is_policy:
            shares = [said.float().softmax(dim=-1) for said in self._decode(flat, None)]
            pressed = self.layout.pressed_shares(shares)
        else:
            shares, pressed = self._mean_of_draws(flat)
        space, mouse = self.layout.space, self.layout.key_slots
        shape = latent.shape[:2]
        return Outputs(
            torch.logit(pressed.clamp(1e-4, 1 - 1e-4)).view(*shape, len(space.codes)),
            shares[mouse].clamp(min=1e-9).log().view(*shape, -1),
            shares[mouse + 1].clamp(min=1e-9).log().view(*shape, -1),
        )

    def see(self, frame: Tensor, text: Tensor, state: P2PState) -> tuple[Tensor, P2PState]:
        """One frame (1, 3, H, W) and text (1, width): the acting token's output (1, width), in one pass of the backbone.

        `tell` follows, with what was done then.
        """
        tokens, at = self._embed(frame[None], text[None], None)
        _, cache = self._extend(tokens[0, 0, :at], state.cache)
        latent, beyond = self.backbone.extend(
            tokens[0, :, at : at + 1], None, cache
        )  # it looks at all, and nobody at it
        return latent[0], P2PState(Cache(cache.keys, cache.values, beyond.position))

    def tell(self, action: Tensor, state: P2PState) -> P2PState:
        """What was done in the frame that was seen last: (S,) tokens."""
        if not self.sees_actions:
            return P2PState(self._forget(state.cache))
        _, cache = self._extend(self._done(action[None])[0], state.cache)
        return P2PState(self._forget(cache))

    def slot_logits(self, latent: Tensor, wanted: Tensor) -> list[Tensor]:
        """Logits of each slot for latents (N, width), a policy's told the true slots before it: wanted (N, S)."""
        return self._decode(latent, wanted)

    def draw(self, latent: Tensor, temperature: float, generator: torch.Generator | None) -> Tensor:
        """Latents (N, width) -> an action for each, (N, S) tokens, slot by slot; temperature 0 takes the likeliest."""
        tokens, _ = self._draw(latent, temperature, generator)
        return tokens

    # Inside

    def _embed(self, frames: Tensor, texts: Tensor | None, done: Targets | None) -> tuple[Tensor, int]:
        """(B, T, tokens, width), without the actions where `done` is None, and the place of the acting token."""
        batch, length = frames.shape[:2]
        seen = self.picture(self.encoder(frames.flatten(0, 1)).flatten(1))
        parts = [seen.view(batch, length, self.config.image_tokens, -1) + self.kinds.weight[_IMAGE]]
        if self.is_policy:
            assert texts is not None
            parts.insert(0, texts[:, :, None] + self.kinds.weight[_TEXT])
        for token, kind in ((self.think, _THINK), (self.act, _ACT)):
            parts.append((token + self.kinds.weight[kind]).expand(batch, length, 1, -1))
        at = sum(part.shape[2] for part in parts) - 1
        if self.sees_actions and done is not None:
            wanted = self.layout.encode(done.keys, done.dx, done.dy)
            embedded = self._done(wanted.flatten(0, 1)).view(batch, length, len(self.layout), -1)
            known = done.known[..., None, None] > 0
            parts.append(torch.where(known, embedded, (self.unknown + self.kinds.weight[_DONE]).to(embedded.dtype)))
        dtype = seen.dtype
        return torch.cat([part.to(dtype) for part in parts], dim=2), at

    def _done(self, action: Tensor) -> Tensor:
        """(N, S) tokens -> (N, S, width)."""
        embedded = [table(action[:, slot]) for slot, table in enumerate(self.values)]
        return torch.stack(embedded, dim=1) + self.slot_kinds.weight + self.kinds.weight[_DONE]

    def _mask(self, length: int, device: torch.device) -> Tensor:
        """(N, N): True where a row's token may look at a column's."""
        count = self.tokens_per_frame
        acts = torch.arange(length * count, device=device) % count == count - 1 - (
            len(self.layout) if self.sees_actions else 0
        )
        looks_back = torch.ones(length * count, length * count, dtype=torch.bool, device=device).tril()
        itself = torch.eye(length * count, dtype=torch.bool, device=device)
        return looks_back & (~acts[None, :] | itself)

    def _decode(self, latent: Tensor, wanted: Tensor | None) -> list[Tensor]:
        """Latents (N, width) -> logits of each slot, (N, classes): told the slots before (N, S), or all at once."""
        if wanted is None:
            tokens = latent[:, None] + self.slot_kinds.weight
            out = self.decoder(tokens, None)
        else:
            before = (
                [table(wanted[:, slot]) for slot, table in enumerate(list(self.values)[:-1])] if self.is_policy else []
            )
            if not self.is_policy:
                return self._decode(latent, None)
            tokens = (
                torch.stack([latent, *[value.to(latent.dtype) for value in before]], dim=1) + self.slot_kinds.weight
            )
            slots = tokens.shape[1]
            out = self.decoder(tokens, torch.ones(slots, slots, dtype=torch.bool, device=tokens.device).tril())
        return [head(out[:, slot]) for slot, head in enumerate(self.heads)]

    def _draw(
        self, latent: Tensor, temperature: float, generator: torch.Generator | None
    ) -> tuple[Tensor, list[Tensor]]:
        """Tokens (N, S), and the shares (N, classes) each was drawn from."""
        cache: Cache | None = None
        given = latent
        tokens, shares = [], []
        for slot, head in enumerate(self.heads):
            out, cache = self.decoder.extend((given + self.slot_kinds.weight[slot])[:, None], None, cache)
            logits = head(out[:, 0]).float()
            share = (logits / temperature).softmax(dim=-1) if temperature > 0 else logits.softmax(dim=-1)
            chosen = torch.multinomial(share, 1, generator=generator)[:, 0] if temperature > 0 else share.argmax(dim=-1)
            tokens.append(chosen)
            shares.append(share)
            table = self.values[slot]
            given = table(chosen).to(latent.dtype)
        return torch.stack(tokens, dim=1), shares

    def _mean_of_draws(self, flat: Tensor) -> tuple[list[Tensor], Tensor]:
        draws = self.config.draws
        generator = torch.Generator(device=flat.device).manual_seed(0)
        tokens, shares = self._draw(flat.repeat_interleave(draws, dim=0), 1.0, generator)
        pressed, _, _ = self.layout.decode(tokens)
        counted = pressed.float().view(len(flat), draws, -1).sum(dim=1)
        means = [share.view(len(flat), draws, -1).mean(dim=1) for share in shares]
        return means, (counted + 0.5) / (draws + 1)

    def _extend(self, tokens: Tensor, cache: Cache | None) -> tuple[Tensor, Cache]:
        """Adds tokens (N, width) of one frame, each looking at all before and itself."""
        past = 0 if cache is None else len(cache)
        mask = torch.ones(len(tokens), past + len(tokens), dtype=torch.bool, device=tokens.device).tril(past)
        return self.backbone.extend(tokens[None], mask, cache)

    def _forget(self, cache: Cache | None) -> Cache | None:
        """Keeps what a new frame may still look back on."""
        kept = self.tokens_per_frame - 1  # without the acting token
        return cache.last((self.config.window - 1) * kept) if cache is not None else None
