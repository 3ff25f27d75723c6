from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from trainer.configs import P2P_AUGMENT, AugmentConfig, P2PConfig, PolicyConfig, named_config
from trainer.data import camera
from trainer.data.augment import Draws, augment, to_unit

SIZE_PX = (32, 24)
OFF = AugmentConfig(brightness=0, contrast=0, saturation=0, shift_share=0)
ALL = P2P_AUGMENT.model_copy(
    update=dict.fromkeys(
        ("colour_chance", "light_chance", "grain_chance", "blur_chance", "sharpen_chance", "shift_chance"), 1.0
    )
)
ONE_THING = {
    "rotation": OFF.model_copy(update={"rotation_deg": 3.0}),
    "shift": OFF.model_copy(update={"shift_share": 0.1}),
    "light": OFF.model_copy(update={"light_chance": 1.0}),
    "hue": OFF.model_copy(update={"hue": 0.2}),
    "colour": OFF.model_copy(update={"contrast": 0.2, "brightness": 0.2, "saturation": 0.2}),
    "blur": OFF.model_copy(update={"blur_chance": 1.0}),
    "sharpening": OFF.model_copy(update={"sharpen_chance": 1.0}),
    "grain": OFF.model_copy(update={"grain_chance": 1.0}),
    "mirror": OFF.model_copy(update={"mirror": 1.0}),
}


def pictures(clips: int, length: int, seed: int = 0, size_px: tuple[int, int] = SIZE_PX) -> Tensor:
    """(B, T, H, W, 3) uint8: coarse blocks with noise on them."""
    rng = np.random.default_rng(seed)
    width, height = size_px
    coarse = np.kron(rng.integers(20, 235, (clips, length, height // 4, width // 4, 3)), np.ones((1, 1, 4, 4, 1)))
    return torch.from_numpy((coarse + rng.integers(-20, 21, coarse.shape)).astype(np.uint8))


def drawn(config: AugmentConfig, batch: int, seed: int = 0) -> Draws:
    return Draws.of(config, batch, SIZE_PX, np.random.default_rng(seed))


def test_what_is_off_changes_no_bit() -> None:
    frames = pictures(4, 3)
    assert torch.equal(augment(frames, drawn(OFF, 4)), to_unit(frames))
    never = ALL.model_copy(update={name: 0.0 for name in AugmentConfig.model_fields if name.endswith("_chance")})
    assert torch.equal(augment(frames, drawn(never, 4)), to_unit(frames))


@pytest.mark.parametrize("name", ONE_THING)
def test_one_draw_a_clip(name: str) -> None:
    config = ONE_THING[name]
    still = pictures(3, 1).expand(3, 4, SIZE_PX[1], SIZE_PX[0], 3)
    varied = augment(still, drawn(config, 3, seed=5))
    assert (varied[:, 0] - to_unit(still[:, 0])).abs().amax(dim=(1, 2, 3)).min() > 0.003, "every clip is varied"
    for t in (1, 2, 3):
        assert torch.equal(varied[:, 0], varied[:, t]) != (name == "grain"), "noise alone differs between frames"


def test_draws_stay_in_their_ranges_and_meet_their_shares() -> None:
    draws = drawn(P2P_AUGMENT, 4000)
    assert np.abs(np.rad2deg(draws.rotation)).max() <= 3
    assert np.abs(draws.shift_px[:, 0]).max() == round(0.03 * SIZE_PX[0])
    assert not draws.shift_px[:, 1].any()
    assert np.abs(draws.hue).max() <= 0.2
    assert np.abs(draws.colour - 1).max() <= 0.2 + 1e-6
    assert 0.01 <= draws.grain[draws.grain[:, 0] > 0, 0].min() <= draws.grain[:, 0].max() <= 0.2
    assert 0.1 <= draws.grain[draws.grain[:, 1] > 0, 1].min() <= draws.grain[:, 1].max() <= 0.6
    assert 0.5 <= draws.sharpening[draws.sharpening > 0].min() <= draws.sharpening.max() <= 1.5
    blurred = draws.blur.any(axis=(1, 2))
    assert np.allclose(draws.blur[blurred].sum(axis=(1, 2)), 1, atol=1e-5)
    shares = {
        0.25: [(draws.colour != 1).any(axis=1), draws.hue != 0, (draws.light != 1).any(axis=1)],
        0.2: [blurred],
        0.15: [draws.sharpening > 0],
        0.1: [draws.grain.any(axis=1)],
        0.0: [draws.mirrored, draws.wording != 0],
        1.0: [draws.rotation != 0],
    }
    for share, found in shares.items():
        assert all(abs(met.mean() - share) < 0.03 for met in found)


@pytest.mark.parametrize(("right", "down"), [(5, 0), (-5, 3), (0, -2), (4, 7), (31, -23)])
def test_a_shift_moves_by_whole_pixels_and_repeats_the_border(right: int, down: int) -> None:
    frames, draws = pictures(1, 2), drawn(OFF, 1)
    moved = augment(frames, replace(draws, shift_px=np.array([[right, down]])))
    whole = to_unit(frames)
    rows, columns = np.clip(np.arange(24) - down, 0, 23), np.clip(np.arange(32) - right, 0, 31)
    assert torch.equal(moved, whole[..., rows, :][..., columns])


def test_turning_one_thing_off_changes_no_other_draw() -> None:
    whole, less = drawn(ALL, 16), drawn(ALL.model_copy(update={"blur_chance": 0.0, "rotation_deg": 0.0}), 16)
    same = {f.name for f in fields(Draws)} - {"blur", "rotation"}
    assert all(np.array_equal(getattr(whole, name), getattr(less, name)) for name in same)
    assert not less.blur.any()


def test_the_same_seed_gives_the_same_pictures_in_parts_too() -> None:
    frames = pictures(4, 2)
    whole = augment(frames, drawn(ALL, 4, seed=9))
    assert torch.equal(whole, augment(frames, drawn(ALL, 4, seed=9)))
    assert not torch.equal(whole, augment(frames, drawn(ALL, 4, seed=10)))
    halves = [augment(frames[part], drawn(ALL, 4, seed=9).rows(part)) for part in (slice(0, 2), slice(2, 4))]
    assert torch.equal(whole, torch.cat(halves)), "whichever process does it"


def test_a_mirrored_clip_is_varied_like_the_clip_of_a_mirrored_world() -> None:
    frames, draws = pictures(3, 2), drawn(ALL, 3)
    mirrored = replace(draws, mirrored=np.ones(3, bool))
    assert torch.equal(augment(frames, mirrored), augment(frames.flip(-2), draws))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0, 255, None]))
def test_pictures_stay_pictures(seed: int, level: int | None) -> None:
    frames = pictures(2, 2, seed) if level is None else torch.full((2, 2, 24, 32, 3), level, dtype=torch.uint8)
    varied = augment(frames, drawn(ALL, 2, seed))
    assert varied.shape == (2, 2, 3, 24, 32)
    assert varied.dtype == torch.float32
    assert torch.isfinite(varied).all()
    assert varied.min() >= 0
    assert varied.max() <= 1


def test_lenses_and_lights_do_what_they_say() -> None:
    clip = to_unit(pictures(1, 2)[0])
    assert torch.allclose(camera.rotate(clip, 0.0), clip, atol=1e-5)
    dot = torch.zeros(1, 3, 41, 61)
    dot[..., 20, 50] = 1
    turned = camera.rotate(dot, np.deg2rad(3))
    down, right = np.unravel_index(int(turned[0, 0].argmax()), (41, 61))
    assert (abs(int(down) - 20), int(right)) == (1, 50), "20 px from the middle, 3 degrees are one pixel"
    assert np.allclose(camera.illuminant(6500), 1)
    warm, cold = camera.illuminant(3000), camera.illuminant(15000)
    assert warm[0] > 1 > warm[2]
    assert cold[0] < 1 < cold[2]
    grey = torch.full((1, 3, 4, 4), 0.4)
    assert torch.allclose(camera.turn_hue(grey, torch.tensor(0.3)), grey)
    assert torch.allclose(camera.turn_hue(clip, torch.tensor(1.0)), clip, atol=1e-5), "a whole turn is none"
    thirds = camera.turn_hue(clip, torch.tensor(1 / 3))
    assert torch.allclose(thirds, clip.roll(1, dims=1), atol=1e-5), "a third of a turn makes red green"
    assert camera.convolve(clip, camera.gaussian(7, 2.0)).std() < clip.std() < camera.sharpen(clip, 1.0).std()
    assert np.count_nonzero(camera.streak(7, 0.0)) == 7
    flat = camera.add_grain(torch.full((1, 3, 24, 32), 0.5), 0.2, 0.6, seed=1)
    assert torch.allclose(flat, torch.full_like(flat, 0.5)), "a picture without light and shade has no grain to show"


def test_each_configuration_has_its_own_table() -> None:
    assert named_config("policy", "p2p-150m").augment == P2P_AUGMENT
    assert named_config("idm", "p2p-tiny").augment == P2P_AUGMENT
    quick = PolicyConfig().augment
    assert (quick.rotation_deg, quick.blur_chance, quick.grain_chance, quick.light_chance, quick.hue) == (0, 0, 0, 0, 0)
    assert P2PConfig.model_validate_json(named_config("idm", "p2p-tiny").model_dump_json()).augment == P2P_AUGMENT
