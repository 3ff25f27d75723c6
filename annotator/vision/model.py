"""A vision model as the rest sees it: a request goes in, the text of its answer comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from annotator.vision.command import ask_command
from annotator.vision.endpoint import ask_endpoint
from annotator.vision.patience import Cancelled
from annotator.vision.request import Request
from annotator.vision.setup import VisionSetup


class Model(Protocol):
    def ask(self, request: Request, cancelled: Cancelled) -> str:
        """Raises VisionFailed and what derives from it."""


@dataclass(frozen=True)
class ChosenModel:
    """The one that a person has set up."""

    setup: VisionSetup

    def ask(self, request: Request, cancelled: Cancelled) -> str:
        if self.setup.kind == "command":
            return ask_command(self.setup, request, cancelled)
        return ask_endpoint(self.setup, request, cancelled)


def chosen_model(setup: VisionSetup) -> Model:
    """Raises BadArgument where the set-up cannot work, VisionFailed where its key cannot be had."""
    setup.check()
    setup.read_key()
    return ChosenModel(setup)
