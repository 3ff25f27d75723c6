"""One optimisation step, the same for both models: forward, loss, update, average."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from db.specs import ActionSpace
from trainer.configs import IdmConfig, ModelConfig, OptimConfig, P2PConfig, PolicyConfig
from trainer.data.batches import Batch
from trainer.models import Model
from trainer.nets.heads import MIN_KNOWN, Outputs, head_losses, motion_error, total_loss
from trainer.nets.idm import Idm
from trainer.nets.p2p import P2P
from trainer.nets.policy import Policy
from trainer.nets.vpt import Vpt
from trainer.training import checkpoints
from trainer.training.world import World, is_part, own, shard


class Learner:
    """A model with its optimiser and its averaged weights. Step n is a function of the state, the batch, the seed and n."""

    def __init__(
        self,
        net: Model,
        config: ModelConfig,
        space: ActionSpace,
        *,
        seed: int,
        steps: int,
        precision: str,
        world: World | None = None,
    ) -> None:
        """world: the processes that share each batch; all hold the same weights after each step."""
        self.net, self.config, self.space = net, config, space
        self.world = world or World()
        self.outline: Model | None = copy.deepcopy(net).cpu() if self.world.shards and self.world.is_first else None
        """Where weights are shared out, a whole model of the same kind for the first process to evaluate with."""
        objective: nn.Module = Objective(net, space, precision, is_shared=self.world.shards)
        if self.world.size > 1:
            if next(net.parameters()).is_cuda:
                objective = nn.SyncBatchNorm.convert_sync_batchnorm(objective)  # type: ignore[no-untyped-call]
            if self.world.shards:
                shard(objective)
            else:
                objective = DistributedDataParallel(objective, find_unused_parameters=True)
        self._objective = objective
        self.seed, self.steps, self.precision = seed, steps, precision
        optim = config.optim
        self.optimiser = torch.optim.AdamW(_groups(net, optim.weight_decay), lr=optim.rate, betas=optim.betas, eps=1e-8)
        self.averaged = {name: value.detach().clone() for name, value in net.state_dict().items()}
        self.skipped = 0
        """Steps whose gradient was not finite; they change nothing."""

    def step(self, number: int, batch: Batch) -> float:
        """Takes step `number` (from 0) and returns the loss."""
        torch.manual_seed(self.seed * 1_000_003 + number)
        rng = np.random.default_rng((self.seed, 2, number))
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(number, self.steps, self.config.optim)
        self.net.train()
        told, remembers = (self._drawn(rng, batch, share) for share in dropouts(self.config))
        loss: Tensor = self._objective(batch, told, remembers)
        self.optimiser.zero_grad(set_to_none=True)
        (loss * self._weight(batch)).backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.config.optim.clip_norm)
        norm = self.world.whole({"norm": norm})["norm"]
        if torch.isfinite(norm):
            self.optimiser.step()
            self._average(number)
        else:
            self.skipped += 1
        return float(loss.detach())

    def whole_average(self) -> dict[str, Tensor]:
        """The averaged weights, all of them; where they are shared out, all processes must ask."""
        return self.world.whole(self.averaged)

    def pack(self) -> dict[str, Tensor]:
        """All that a training goes on from; where it is shared out, all processes must ask."""
        return self.world.whole(checkpoints.pack(self.net, self.averaged, self.optimiser))

    def net_with(self, weights: Mapping[str, Tensor]) -> Model:
        """Another model of the same kind with these weights, for use. Where weights are shared out, the first has one."""
        made: Model = copy.deepcopy(self.outline or self.net)
        made.load_state_dict(weights)
        return made.to(next(self.net.parameters()).device).eval()

    def _drawn(self, rng: np.random.Generator, batch: Batch, dropout: float) -> Tensor:
        """(B,) float32: 0 for a share of `dropout` of the clips, 1 for the others; drawn for the whole batch."""
        whole = len(batch.frames) * self.world.size
        kept = (rng.random(whole) >= dropout).astype(np.float32)[self.world.share(whole)]
        return torch.from_numpy(kept).to(batch.frames.device)

    def _weight(self, batch: Batch) -> Tensor | float:
        """What this process's loss counts for: DistributedDataParallel takes the plain mean over processes, while a batch's
        loss is the mean over its known rows."""
        if self.world.size == 1:
            return 1.0
        rows = batch.targets.known.sum().clamp(min=MIN_KNOWN)
        return rows * self.world.size / self.world.sum(rows.clone())

    def _average(self, number: int) -> None:
        decay = min(self.config.optim.ema_decay, (1 + number) / (10 + number))
        with torch.no_grad():
            for name, value in self.net.state_dict().items():
                average, new = own(self.averaged[name]), own(value)
                if value.dtype.is_floating_point:
                    average.lerp_(new, 1 - decay)
                else:
                    average.copy_(new)


class Objective(nn.Module):
    """The loss of a model over a batch, as one module, so that several processes can share it."""

    def __init__(self, net: Model, space: ActionSpace, precision: str, *, is_shared: bool = False) -> None:
        super().__init__()
        self.net, self._space, self._precision, self._is_shared = net, space, precision, is_shared

    def forward(self, batch: Batch, told: Tensor, remembers: Tensor) -> Tensor:
        """told, remembers: (B,) in {0, 1}, whose clips keep their instruction and their history."""
        loss = (
            self._loss_of_slots(self.net, batch, told)
            if isinstance(self.net, P2P)
            else self._loss(batch, told, remembers)
        )
        return loss + self._nothing() if self._is_shared else loss

    def _nothing(self) -> Tensor:
        """0, of every weight that is whole now: those that one process uses and another does not would be waited for."""
        total = torch.zeros(())
        for weight in self.net.parameters():
            if not is_part(weight):
                total = total.to(weight.device) + 0 * weight.sum()
        return total

    def _loss(self, batch: Batch, told: Tensor, remembers: Tensor) -> Tensor:
        net = self.net
        assert not isinstance(net, P2P)
        with autocast(self._precision, batch.frames.device):
            outputs: Outputs = (
                net(batch.frames)
                if isinstance(net, Idm | Vpt)
                else net(batch.frames, _texts(net, batch, told), remembers)
            )
        config = net.config
        edge_weight = config.edge_weight if isinstance(config, IdmConfig) else 0.0
        losses = head_losses(outputs, batch.targets, self._space, config.mouse_smoothing_bins, edge_weight)
        loss = total_loss(losses, outputs, config.mouse_weight)
        if config.motion_weight:
            loss = loss + config.motion_weight * motion_error(outputs, batch.targets, self._space)
        return loss

    def _loss_of_slots(self, net: P2P, batch: Batch, told: Tensor) -> Tensor:
        with autocast(self._precision, batch.frames.device):
            texts = _texts(net, batch, told) if net.is_policy else None
            loss, _ = net.loss(batch.frames, texts, batch.targets, batch.watched)
        return loss


def dropouts(config: ModelConfig) -> tuple[float, float]:
    """Shares of clips trained without their instruction, and without their history."""
    if isinstance(config, PolicyConfig):
        return config.text_dropout, config.history_dropout
    return (config.text_dropout if isinstance(config, P2PConfig) else 0.0), 0.0


def _texts(net: Policy | P2P, batch: Batch, told: Tensor) -> Tensor:
    return net.encode_texts(batch.texts)[batch.text_ids * told.long()[:, None]]


def rate_at(number: int, steps: int, config: OptimConfig) -> float:
    """The learning rate of a step: linear warm-up (at most a tenth of the run), then a cosine to `final_share`."""
    warmup = min(config.warmup_steps, max(1, steps // 10))
    if number < warmup:
        return config.rate * (number + 1) / warmup
    done = (number - warmup) / max(1, steps - warmup)
    return config.rate * (
        config.final_share + (1 - config.final_share) * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    )


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Activations in bfloat16 where that is wanted; weights and losses stay float32."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bfloat16" else nullcontext()


def _groups(net: Model, weight_decay: float) -> list[dict[str, object]]:
    """Matrices decay; biases, norms and embeddings of texts do not."""
    decayed: list[Tensor] = []
    free: list[Tensor] = []
    for name, value in net.named_parameters():
        (decayed if value.ndim > 1 and not name.startswith("text.table") else free).append(value)
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]
