"""One run by several processes, as `torchrun` starts them; alone, everything here does nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed

from db.errors import BadArgument

Value = TypeVar("Value")


@dataclass(frozen=True)
class World:
    """Which of the processes this is."""

    rank: int = 0
    size: int = 1

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

    def wait(self) -> None:
        """Until all have come here."""
        if self.size > 1:
            distributed.barrier()


@contextmanager
def joined(device: torch.device) -> Iterator[tuple[World, torch.device]]:
    """The world that `torchrun` made, and this process's device in it; leaves it at the end."""
    size, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    if size == 1:
        yield World(), device
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield World(rank, size), device
        distributed.barrier()  # a process that leaves early takes the connection of the others with it
    finally:
        distributed.destroy_process_group()
