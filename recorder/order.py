"""What a contributor asks for: which game, for whom, how, and which keys are the recorder's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from db.recording.consent import Consent
from db.recording.events import Actor, InputEvent
from db.recording.profiles import GameProfile
from db.specs import CaptureSpec
from recorder.hotkeys import Bindings, Hotkey, HotkeyAction
from recorder.inputs.gate import KeyRules

IDLE_S = 90.0
"""Where no profile says otherwise."""


@dataclass(frozen=True)
class Order:
    """What to record and for whom. `duration_s`: None goes on until stopped."""

    game: str
    """Empty: the window's title."""
    player: str
    capture: CaptureSpec = field(default_factory=CaptureSpec)
    duration_s: float | None = None
    group_id: str | None = None
    other_actors: tuple[Actor, ...] = ()
    """Who acts beside the person: events are given to them by `attribute`, by their position (the person is 0)."""
    attribute: Callable[[InputEvent], int] = lambda event: 0
    hotkeys: Bindings = field(default_factory=dict)
    """The recorder's own keys: none is written, and the one for muting acts within the input stream."""
    other_hotkeys: tuple[Hotkey, ...] = ()
    """Further keys of its own, which mean something to whoever ordered; none of these is written either."""
    wait_focus_s: float | None = 60.0
    """How long to wait for the window's focus before the start; None waits for ever."""
    wait_activity: bool = False
    """Wait also for the first thing that is done in the window."""
    profile: GameProfile | None = None
    consent: Consent | None = None
    idle_s: float | None = None
    """Without input for so long the session ends; 0: never; None: as the profile says."""
    try_encoders: bool = False
    """Find out first, on the picture of the window, which encoder this machine sustains."""
    anyway: bool = False
    """Record even where the self-test says that it cannot work."""

    @property
    def idle_limit_s(self) -> float:
        if self.idle_s is not None:
            return self.idle_s
        return self.profile.idle_s if self.profile is not None else IDLE_S

    @property
    def key_rules(self) -> KeyRules:
        """What is never written."""
        listed = self.profile is not None and self.profile.only_these
        hidden = [hotkey for action, hotkey in self.hotkeys.items() if action is not HotkeyAction.MUTE]
        only = self.profile.keys if self.profile is not None and listed else None
        return KeyRules([*hidden, *self.other_hotkeys], self.hotkeys.get(HotkeyAction.MUTE), only)
