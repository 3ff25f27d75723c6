"""One run by several processes, as `torchrun` starts them; alone, everything here does nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn

from db.errors import BadArgument
from trainer.nets.transformer import Layer

Value = TypeVar("Value")


@dataclass(frozen=True)
class World:
    """Which of the processes this is."""

    rank: int = 0
    size: int = 1
    shards: bool = False
    """Whether weights, averages and moments are shared out as well (FSDP2), for models that no one process has room for."""

    @property
    def is_first(self) -> bool:
        """The one that writes, evaluates and reports."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """This process's part of `count` things. Raises BadArgument where they cannot be shared equally."""
        if count % self.size:
            raise BadArgument(f"A batch of {count} clips cannot be shared by {self.size} processes equally.")
        part = count // self.size
        return slice(self.rank * part, (self.rank + 1) * part)

    def tell(self, value: Value) -> Value:
        """What the first process says, to all."""
        if self.size == 1:
            return value
        box: list[Any] = [value if self.is_first else None]
        distributed.broadcast_object_list(box, src=0)
        said: Value = box[0]
        return said

    def sum(self, value: Tensor) -> Tensor:
        """The sum over all processes, in place."""
        if self.size > 1:
            distributed.all_reduce(value)
        return value

    def any(self, flag: bool, device: torch.device) -> bool:
        """Whether it is so in any process; all must ask."""
        return bool(self.sum(torch.tensor(float(flag), device=device)) > 0) if self.size > 1 else flag

    def whole(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Tensors as they are when nothing is shared out; what was shared out comes to the CPU, and all must ask."""
        found: dict[str, Any] = dict(tensors)
        return {name: value.full_tensor().cpu() if is_part(value) else value for name, value in found.items()}

    def wait(self) -> None:
        """Until all have come here."""
        if self.size > 1:
            distributed.barrier()


# What shares out is imported only where that is wanted: it takes half as long to import as torch itself.


def shard(objective: nn.Module) -> None:
    """Each layer of a transformer is put together only while it is needed; all the rest at once."""
    from torch.distributed.fsdp import fully_shard

    for module in objective.modules():
        if isinstance(module, Layer):
            fully_shard(module)
    fully_shard(objective)


def is_part(value: Tensor) -> bool:
    """Whether this process holds a part of it only."""
    return hasattr(value, "device_mesh")


def own(value: Any) -> Tensor:
    """What this process holds of it."""
    held: Tensor = value.to_local() if is_part(value) else value
    return held


def shared_out(whole: Tensor, like: Any) -> Tensor:
    """This process's part of a tensor, cut as `like` is; the tensor itself where that is whole."""
    if not is_part(like):
        return whole
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(whole.to(like.device), like.device_mesh, like.placements)


@contextmanager
def joined(device: torch.device, *, shards: bool = False) -> Iterator[tuple[World, torch.device]]:
    """The world that `torchrun` made, and this process's device in it; leaves it at the end.

    shards: see `World`. Raises BadArgument where there is only one process to share with.
    """
    size, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    if size == 1:
        if shards:
            raise BadArgument("--shard shares a model among several processes; start them with torchrun.")
        yield World(), device
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield World(rank, size, shards), device
        distributed.barrier()  # a process that leaves early takes the connection of the others with it
    finally:
        distributed.destroy_process_group()
