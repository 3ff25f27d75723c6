from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from trainer.nets.text import TextEncoder, hash_features, mirror_text


def test_features_are_stable_and_leave_zero_alone() -> None:
    assert hash_features("Turn left", 512) == hash_features("turn  LEFT!", 512)
    assert hash_features("", 512) == []
    assert set(hash_features("turn left", 512)) != set(hash_features("turn right", 512))


@given(st.text(max_size=60))
def test_any_text_is_encoded(text: str) -> None:
    assert all(1 <= feature < 64 for feature in hash_features(text, 64))
    encoded = TextEncoder(64, 8, 12)([text, "", "turn left"])
    assert encoded.shape == (3, 12)
    assert torch.isfinite(encoded).all()


def test_texts_tell_apart_in_any_company() -> None:
    torch.manual_seed(0)
    encoder = TextEncoder(512, 16, 16).eval()
    both = encoder(["turn left", "turn right", "", "turn left"])
    torch.testing.assert_close(both[0], both[3])
    torch.testing.assert_close(encoder(["turn left"])[0], both[0])
    assert (both[0] - both[1]).abs().max() > 0.05
    torch.testing.assert_close(encoder(["", ""])[1], both[2])


def test_a_mirrored_text_swaps_left_and_right() -> None:
    assert mirror_text("Turn left, then Right") == "Turn right, then Left"
    assert mirror_text(mirror_text("left or right")) == "left or right"
    assert mirror_text("shoot the monsters") == "shoot the monsters"


def test_what_was_never_heard_counts_for_nothing() -> None:
    torch.manual_seed(0)
    encoder = TextEncoder(2**18, 16, 16).eval()
    encoder.hear(["turn left", "collect the medkits"])
    nothing, known, added, half, mostly_new = encoder(
        ["", "turn left", "turn left zzyzx", "left zzyzx", "zzyzx qwfpg the"]
    )
    torch.testing.assert_close(mostly_new, nothing)
    assert (known - nothing).abs().max() > 0.05
    torch.testing.assert_close(added, known, msg="a word more that it does not know changes nothing")
    assert (half - nothing).abs().max() > 0.05
    assert (half - known).abs().max() > 0.01, "of the pair and the other word nothing was said"


def test_what_was_heard_is_stored_with_the_weights() -> None:
    encoder = TextEncoder(512, 8, 8)
    encoder.hear(["turn left"])
    other = TextEncoder(512, 8, 8)
    other.load_state_dict(encoder.state_dict())
    assert torch.equal(other.heard, encoder.heard)
    other.hear(["turn right"])
    assert other.heard.sum() > encoder.heard.sum()
