from __future__ import annotations

import pytest
from pydantic import ValidationError

from db.specs import ActionSpace, CaptureSpec, ClipSpec


def test_a_digest_is_of_the_values() -> None:
    assert CaptureSpec().digest() == CaptureSpec(rate_hz=30).digest()
    assert CaptureSpec().digest() != CaptureSpec(rate_hz=31).digest()
    assert len(ClipSpec().digest()) == 16


def test_specs_survive_json_and_cannot_be_changed() -> None:
    space = ActionSpace(codes=(17, 30), dx_edges=(-1.0, 1.0), dx_values=(-5.0, 0.0, 5.0))
    assert ActionSpace.model_validate_json(space.model_dump_json()) == space
    with pytest.raises(ValidationError):
        space.codes = ()  # type: ignore[misc]


@pytest.mark.parametrize(
    "wrong",
    [
        {"codes": (17, 17)},
        {"codes": (17,), "dx_edges": (1.0,)},
        {"codes": (17,), "dx_edges": (1.0, -1.0), "dx_values": (0.0, 1.0, 2.0)},
        {"codes": (17,), "dy_edges": (1.0, 1.0), "dy_values": (0.0, 1.0, 2.0)},
    ],
)
def test_an_action_space_must_fit_together(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ActionSpace.model_validate(wrong)


@pytest.mark.parametrize("wrong", [{"rate_hz": 0}, {"crf": 52}, {"keyframe_s": 1.5}, {"commit_s": 2}, {"fps": 30}])
def test_impossible_captures_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CaptureSpec.model_validate(wrong)
