"""Tensors and cards from files that anybody may have made: nothing in them is executed, nothing is believed.

What a file says it holds is compared with what is wanted before any of it is read, so that a file needs no more memory than
the model that it is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from db.errors import BadFile, NotFound

Form = tuple[tuple[int, ...], str]
"""Shape and type."""

MOST_TEXT_BYTES = 16 * 2**20
_SLACK_BYTES = 16 * 2**20
_TYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
    torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip


def refuse_escape(path: Path, folder: Path) -> None:
    """Raises BadFile where `path` leads out of `folder`, as a symbolic link does."""
    if not path.resolve().is_relative_to(folder.resolve()):
        raise BadFile(f"{path} is a link that leads out of {folder}; put the file itself there.")


def read_text(path: Path, most_bytes: int = MOST_TEXT_BYTES) -> str:
    """A small text. Raises OSError, ValueError where it is too long or no UTF-8."""
    size = path.stat().st_size
    if size > most_bytes:
        raise ValueError(f"{size} bytes are too many")
    return path.read_text(encoding="utf-8")


def read_tensors(path: Path, wanted: Mapping[str, Tensor], cure: str) -> dict[str, Tensor]:
    """The tensors of a file that holds those of `wanted`, by name, shape and type, and no others; all of them finite.

    wanted: of any device, also `meta`. cure: what to do about a bad file. Raises NotFound, BadFile.
    """
    if not path.is_file():
        raise NotFound(f"{path} is missing; {cure}.")
    wanted_bytes = sum(value.numel() * value.element_size() for value in wanted.values())
    if path.stat().st_size > wanted_bytes + _SLACK_BYTES:
        raise BadFile(f"{path} does not hold this model: {path.stat().st_size} bytes are too many; {cure}.")
    try:
        with safe_open(path, framework="pt") as file:
            found = {name: form_in(file, name) for name in file.keys()}  # noqa: SIM118
            if wrong := find_misfit(found, forms_of(wanted)):
                raise BadFile(f"{path} does not hold this model: {wrong}; {cure}.")
            tensors = {name: file.get_tensor(name) for name in found}
    except (OSError, SafetensorError, ValueError, RuntimeError) as error:
        raise BadFile(f"{path} is damaged ({first_line(error)}); {cure}.") from None
    if wrong := find_infinite(tensors):
        raise BadFile(f"{path} is damaged ({wrong} is not finite); {cure}.")
    return tensors


def form_in(file: safe_open, name: str) -> Form:
    """What an open file says of one of its tensors."""
    part = file.get_slice(name)  # type: ignore[no-untyped-call]
    return tuple(part.get_shape()), str(part.get_dtype())


def forms_of(tensors: Mapping[str, Tensor]) -> dict[str, Form]:
    return {name: (tuple(value.shape), _TYPES.get(value.dtype, str(value.dtype))) for name, value in tensors.items()}


def find_misfit(found: Mapping[str, Form], wanted: Mapping[str, Form]) -> str:
    """The first difference in words, empty where there is none."""
    for name in sorted(wanted.keys() - found.keys()):
        return f"{name} is missing"
    for name in sorted(found.keys() - wanted.keys()):
        return f"{name[:80]!r} belongs to another"
    for name, form in wanted.items():
        if found[name] != form:
            return f"{name} is {found[name][1]} {found[name][0]} instead of {form[1]} {form[0]}"
    return ""


def find_infinite(tensors: Mapping[str, Tensor]) -> str:
    """The name of the first tensor with a NaN or an infinity in it, empty where there is none."""
    for name, value in tensors.items():
        if value.dtype.is_floating_point and not torch.isfinite(value).all():
            return name
    return ""


def bytes_of(net: nn.Module) -> int:
    return sum(value.numel() * value.element_size() for value in net.state_dict().values())


def first_line(error: Exception) -> str:
    """The beginning of what an error says; some say pages."""
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
