"""Named configurations of models and of their training. What a run used is stored in its checkpoint, whole."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from db.errors import BadArgument
from db.recording.keys import CODES
from db.specs import ClipSpec, Spec

Kind = Literal["idm", "policy"]
Share = Annotated[float, Field(ge=0, le=1)]

Width = Annotated[int, Field(ge=1, le=2**16)]
"""Of a layer. What is read from a card must not ask for more than any machine has, hence the bounds everywhere."""
Widths = Annotated[tuple[Width, ...], Field(min_length=2, max_length=12)]
Reach = Annotated[int, Field(ge=1, le=4096)]

_MIRROR_PAIRS = (("KEY_A", "KEY_D"), ("KEY_LEFT", "KEY_RIGHT"))


class AugmentConfig(Spec):
    """One draw per clip, so that motion between its frames stays true."""

    brightness: Share = 0.2
    contrast: Share = 0.2
    saturation: Share = 0.3
    shift_share: Share = 0.04
    """Largest shift, as a share of the width and of the height; the border is repeated."""
    shift_chance: Share = 1.0
    shift_across_only: bool = False
    colour_chance: Share = 1.0
    """Of brightness, contrast, saturation and hue together; so for each `..._chance`: the share of clips it is done to."""
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Largest turn of the hue, in whole turns."""
    rotation_deg: Annotated[float, Field(ge=0, le=45)] = 0.0
    rotation_chance: Share = 1.0
    light_chance: Share = 0.0
    """Planckian jitter: the light of a black body of 3000 to 15000 K."""
    grain_chance: Share = 0.0
    """A sensor's noise, another in every frame."""
    blur_chance: Share = 0.0
    """Out of focus or moved, over 3 to 7 pixels."""
    sharpen_chance: Share = 0.0
    text_augment: Share = 0.0
    """Share of clips in which the instruction is worded anew; see `trainer.data.wording`."""
    mirror: Share = 0.0
    """Probability of a left-right flip, with the sign of dx, `mirror_pairs` and the words left and right swapped."""
    mirror_pairs: tuple[tuple[int, int], ...] = tuple((CODES[a], CODES[b]) for a, b in _MIRROR_PAIRS)


P2P_AUGMENT = AugmentConfig(
    rotation_deg=3.0, colour_chance=0.25, brightness=0.2, contrast=0.2, saturation=0.2, hue=0.2, light_chance=0.25,
    grain_chance=0.1, blur_chance=0.2, sharpen_chance=0.15, shift_share=0.03, shift_chance=0.25, shift_across_only=True,
)  # fmt: skip
"""Pixels2Play's table."""


HASHED = "hashed"


class SentenceSpec(Spec):
    """Which frozen sentence encoder a model reads instructions with; see `trainer.nets.sentences`."""

    name: str
    content: str
    """SHA-256 of its files: with another one the model would understand nothing."""
    width: Width


class OptimConfig(Spec):
    """AdamW with linear warm-up and a cosine down to `final_share` of the rate."""

    batch_size: Annotated[int, Field(ge=1, le=2**16)] = 8
    rate: Annotated[float, Field(gt=0)] = 1e-3
    final_share: Share = 0.02
    warmup_steps: Annotated[int, Field(ge=0)] = 50
    weight_decay: Annotated[float, Field(ge=0)] = 0.02
    betas: tuple[float, float] = (0.9, 0.98)
    clip_norm: Annotated[float, Field(gt=0)] = 1.0
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.99
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """`auto` takes bfloat16 autocast where the processor or the GPU has it."""
    evaluations: Annotated[int, Field(ge=1, le=10_000)] = 10
    """How often the calibration split is scored during a run, evenly spread."""


MouseHead = Literal["bins", "foveated", "number"]
"""How a network says the mouse; see `trainer.nets.mouse`."""
Context = Literal["both", "past", "near"]
"""What an IDM sees of a clip around an interval: all of it; nothing after the interval's end; a few frames on either side."""


class IdmConfig(Spec):
    """Frames around an interval -> the keys and the motion in it. Sees the future; never sees actions."""

    kind: Literal["idm"] = "idm"
    name: str = "quick"
    window: Annotated[int, Field(ge=8, le=100_000)] = 32
    """Frames per training clip."""
    stem_pool: Annotated[int, Field(ge=1, le=64)] = 2
    """The convolutions see pictures averaged over squares of this many pixels; frame shifts are measured in all of them."""
    widths: Widths = (32, 64, 128)
    """Channels of the stride-2 convolutions over a frame and its differences to its neighbours."""
    frame_features: Width = 192
    shift_features: Width = 128
    shift_px: tuple[Reach, Reach] = (72, 16)
    """Largest displacement tried, across and down, at model size."""
    shift_cells: tuple[Reach, Reach] = (6, 4)
    """Columns and rows in which frame shifts are measured apart."""
    hidden: Width = 160
    """Width of the recurrent state of each direction."""
    sees_changes: bool = True
    """Whether the convolutions are given the differences between frames, beside the frame."""
    sees_shifts: bool = True
    """Whether frame shifts are measured."""
    context: Context = "both"
    mouse_head: MouseHead = "bins"
    dropout: Share = 0.25
    mouse_weight: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the mouse's bins beside the keys."""
    mouse_smoothing_bins: Annotated[float, Field(ge=0)] = 0.7
    """Standard deviation, in bins, by which mouse targets are spread to neighbouring bins."""
    motion_weight: Annotated[float, Field(ge=0)] = 0.5
    """Weight of the squared error of the expected motion, in units of the data's variance, beside the bins'."""
    edge_weight: Annotated[float, Field(ge=0)] = 1.0
    """How much more a key weighs in the intervals beside its presses and releases."""
    overlap: Annotated[int, Field(ge=4, le=100_000)] = 8
    """Frames of context on each side that windows overlap by when a whole session is labelled."""
    optim: OptimConfig = OptimConfig()
    augment: AugmentConfig = AugmentConfig(mirror=0.5)


class VptConfig(Spec):
    """The IDM of Video PreTraining (Baker et al., 2022, appendix D), made small: a rival for `IdmConfig` on the same rows.

    Its pictures are of the dataset's size; published: 128x128, 128 frames, widths 64, 128, 128, features 256, then 4 blocks of
    width 4096 with 32 heads, 0.5 billion parameters. Here 2.3 million.
    """

    kind: Literal["idm"] = "idm"
    family: Literal["vpt"] = "vpt"
    name: str = "vpt-style"
    window: Annotated[int, Field(ge=8, le=100_000)] = 32
    stem: Width = 16
    """Channels of the convolution over time and space that comes first."""
    widths: Annotated[tuple[Width, ...], Field(min_length=1, max_length=5)] = (16, 24, 32)
    frame_features: Width = 96
    width: Width = 256
    layers: Annotated[int, Field(ge=1, le=64)] = 2
    heads: Annotated[int, Field(ge=1, le=1024)] = 8
    mouse_head: MouseHead = "foveated"
    mouse_weight: Annotated[float, Field(ge=0)] = 1.0
    mouse_smoothing_bins: Annotated[float, Field(ge=0)] = 0.0
    motion_weight: Annotated[float, Field(ge=0)] = 0.0
    overlap: Annotated[int, Field(ge=4, le=100_000)] = 8
    optim: OptimConfig = OptimConfig(batch_size=4, rate=1e-3, final_share=0.0, weight_decay=0.01, betas=(0.9, 0.999))
    augment: AugmentConfig = AugmentConfig(
        brightness=0.2, contrast=0.2, saturation=0.2, hue=0.2, rotation_deg=2.0, shift_share=2 / 128
    )


class PolicyConfig(Spec):
    """Past frames and an instruction -> the keys and the motion of the interval that begins. Never sees actions."""

    kind: Literal["policy"] = "policy"
    name: str = "quick"
    window: Annotated[int, Field(ge=4, le=100_000)] = 8
    """Frames per training clip: few, so that a batch holds many different moments."""
    widths: Widths = (16, 40, 80, 128)
    frame_features: Width = 256
    squeezed: Width = 12
    """Channels of the coarse picture that is seen flat."""
    keypoints: Annotated[int, Field(ge=0, le=2**16)] = 48
    """Things looked for whose places are known finely."""
    history: Annotated[int, Field(ge=1, le=16)] = 4
    """Frames an output depends on, the present one included."""
    history_dropout: Share = 0.2
    """Share of clips trained with the present frame alone, so that nothing can lean on what was done before."""
    hidden: Width = 256
    text_buckets: Annotated[int, Field(ge=16, le=2**24)] = 4096
    text_features: Width = 64
    text_encoder: str = HASHED
    """`hashed`: learnt with the model; `installed` or a folder: a frozen sentence encoder on this machine."""
    sentences: SentenceSpec | None = None
    """That encoder, found when the run began."""
    text_dropout: Share = 0.15
    """Share of clips trained without their instruction."""
    dropout: Share = 0.2
    mouse_weight: Annotated[float, Field(ge=0)] = 3.0
    mouse_smoothing_bins: Annotated[float, Field(ge=0)] = 0.5
    motion_weight: Annotated[float, Field(ge=0)] = 0.5
    optim: OptimConfig = OptimConfig(batch_size=16, rate=2e-3)
    augment: AugmentConfig = AugmentConfig(shift_share=0.01, mirror=0.5, text_augment=0.5)
    """Little shift: what is in the middle of the picture decides whether to shoot."""


class P2PConfig(Spec):
    """Pixels2Play's transformer, as a policy or as an IDM (Yue et al., 2026, table 2)."""

    kind: Kind
    family: Literal["p2p"] = "p2p"
    name: str
    window: Annotated[int, Field(ge=2, le=100_000)] = 200
    """Frames of a training clip, and how far back a policy looks when it plays."""
    layers: Annotated[int, Field(ge=1, le=256)]
    width: Annotated[int, Field(ge=16, le=2**16)]
    heads: Annotated[int, Field(ge=1, le=1024)] = 16
    decoder_layers: Annotated[int, Field(ge=1, le=256)] = 3
    decoder_heads: Annotated[int, Field(ge=1, le=1024)] = 8
    image_tokens: Annotated[int, Field(ge=1, le=4)] = 1
    key_slots: Annotated[int, Field(ge=1, le=10)] = 4
    """At least; a run takes as many as were down at once in its training data."""
    button_slots: Annotated[int, Field(ge=1, le=10)] = 2
    sees_actions: bool = True
    """Whether a policy is told what was really done in the frames before."""
    text_buckets: Annotated[int, Field(ge=16, le=2**24)] = 16384
    text_features: Width = 256
    text_encoder: str = HASHED
    """`hashed`: learnt with the model; `installed` or a folder: a frozen sentence encoder on this machine."""
    sentences: SentenceSpec | None = None
    """That encoder, found when the run began."""
    text_dropout: Share = 0.15
    z_loss: Annotated[float, Field(ge=0)] = 1e-4
    draws: Annotated[int, Field(ge=1, le=4096)] = 16
    """Actions drawn for each frame when the chance of each key is asked for: slots depend on one another."""
    overlap: Annotated[int, Field(ge=0, le=100_000)] = 40
    """Frames of context on each side when an IDM labels a whole session."""
    optim: OptimConfig = OptimConfig(
        batch_size=8, rate=1e-4, final_share=1.0, warmup_steps=500, weight_decay=1e-4, betas=(0.9, 0.999)
    )
    augment: AugmentConfig = P2P_AUGMENT


ModelConfig = IdmConfig | VptConfig | PolicyConfig | P2PConfig


def _family(config: object) -> str:
    """Which configuration it is: those after a paper name their family, the others only their kind."""
    named = config if isinstance(config, dict) else getattr(config, "__dict__", {})
    return str(named.get("family") or named.get("kind"))


AnyConfig = Annotated[
    Annotated[IdmConfig, Tag("idm")]
    | Annotated[VptConfig, Tag("vpt")]
    | Annotated[PolicyConfig, Tag("policy")]
    | Annotated[P2PConfig, Tag("p2p")],
    Discriminator(_family),
]
"""A ModelConfig as it is stored."""

P2P_SIZES = {"p2p-150m": (10, 1024), "p2p-300m": (20, 1024), "p2p-600m": (9, 2048), "p2p-1200m": (22, 2048)}
"""Layers and width of the backbone."""
_P2P_BATCH = {"p2p-150m": 10, "p2p-1200m": 5}
_P2P_CLIP = ClipSpec(size_px=(192, 192), rate_hz=20.0)
_TINY = {
    "layers": 2,
    "width": 64,
    "heads": 4,
    "decoder_layers": 1,
    "decoder_heads": 4,
    "window": 32,
    "draws": 4,
    "overlap": 4,
}

CLIPS: dict[str, ClipSpec] = {
    "quick": ClipSpec(size_px=(128, 96), rate_hz=15.0),
    "vpt-style": ClipSpec(size_px=(128, 96), rate_hz=15.0),
    "quick-gpu": ClipSpec(size_px=(160, 120), rate_hz=20.0),
    "p2p-tiny": ClipSpec(size_px=(96, 96), rate_hz=20.0),
    **dict.fromkeys(P2P_SIZES, _P2P_CLIP),
}
"""The pictures that each named configuration is made for; a dataset is frozen at one of them."""

_QUICK: dict[tuple[Kind, str], ModelConfig] = {
    ("idm", "quick"): IdmConfig(),
    ("policy", "quick"): PolicyConfig(),
    ("idm", "vpt-style"): VptConfig(),
    ("idm", "quick-gpu"): IdmConfig(
        name="quick-gpu", window=64, widths=(48, 96, 192), frame_features=320, hidden=320,
        optim=OptimConfig(batch_size=32, rate=1e-3, ema_decay=0.999),
    ),
    ("policy", "quick-gpu"): PolicyConfig(
        name="quick-gpu", window=16, widths=(32, 64, 128, 192), frame_features=512, keypoints=96, history=8, hidden=512,
        optim=OptimConfig(batch_size=64, rate=1e-3, ema_decay=0.999),
    ),
}  # fmt: skip


def named_config(kind: Kind, name: str) -> ModelConfig:
    """Raises BadArgument where there is no such configuration."""
    if (kind, name) in _QUICK:
        return _QUICK[kind, name]
    if name == "p2p-tiny":
        return P2PConfig.model_validate({"kind": kind, "name": name, **_TINY})
    if name in P2P_SIZES:
        layers, width = P2P_SIZES[name]
        rate = 3e-5 if name == "p2p-1200m" else 1e-4
        optim = OptimConfig(
            batch_size=_P2P_BATCH.get(name, 8), rate=rate, final_share=1.0, warmup_steps=500, weight_decay=1e-4,
            betas=(0.9, 0.999),
        )  # fmt: skip
        return P2PConfig(kind=kind, name=name, layers=layers, width=width, optim=optim)
    raise BadArgument(f"There is no {kind} configuration named {name!r}; choose one of {', '.join(sorted(CLIPS))}.")


def clip_named(name: str) -> ClipSpec:
    """Raises BadArgument where there is no such configuration."""
    if name not in CLIPS:
        raise BadArgument(f"There is no configuration named {name!r}; choose one of {', '.join(sorted(CLIPS))}.")
    return CLIPS[name]
