"""Short sounds that tell a player what happened without a look: made here, played by Qt where it can."""

from __future__ import annotations

import os
import sys
import wave
from enum import Enum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QLoggingCategory, QObject, QTemporaryDir, QUrl

_RATE_HZ = 44_100
_PEAK = 0.28


class Tone(Enum):
    """Notes as (Hz, seconds), one after the other. Up begins, down ends, two equal ones wait, three low ones warn."""

    COUNT = ((880.0, 0.05),)
    START = ((659.3, 0.09), (987.8, 0.16))
    STOP = ((987.8, 0.09), (659.3, 0.16))
    PAUSE = ((659.3, 0.08), (0.0, 0.05), (659.3, 0.08))
    RESUME = ((659.3, 0.06), (880.0, 0.1))
    MUTE = ((523.3, 0.06), (392.0, 0.1))
    WARNING = ((330.0, 0.11), (0.0, 0.05), (330.0, 0.11), (0.0, 0.05), (330.0, 0.18))


class Sounds(QObject):
    """Plays tones; silent, with the reason in `problem`, where this machine cannot."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.on = True
        self.problem = ""
        self.played: list[Tone] = []
        """What was asked for of late, the newest last."""
        self._folder: QTemporaryDir | None = None
        self._effects: dict[Tone, QObject] = {}
        self._load()

    def play(self, tone: Tone) -> None:
        self.played = [*self.played[-15:], tone]
        effect = self._effects.get(tone)
        if self.on and effect is not None:
            effect.play()

    def close(self) -> None:
        """Lets go of the sound device, and of the files it played."""
        for effect in self._effects.values():
            effect.stop()
            effect.deleteLater()
        self._effects = {}
        if self._folder is not None:
            self._folder.remove()

    def _load(self) -> None:
        if not _has_sound_server():
            self.problem = "Sounds are off: neither PulseAudio nor PipeWire runs for this account."
            return
        QLoggingCategory.setFilterRules("qt.multimedia.*=false")
        try:
            from PyQt6.QtMultimedia import QMediaDevices, QSoundEffect
        except ImportError as error:  # one of the system's sound libraries is missing
            self.problem = f"Sounds are off: Qt's multimedia part cannot be loaded ({error})."
            return
        if QMediaDevices.defaultAudioOutput().isNull():
            self.problem = "Sounds are off: this machine has no sound output."
            return
        self._folder = QTemporaryDir()
        for tone in Tone:
            path = Path(self._folder.path()) / f"{tone.name.lower()}.wav"
            write_wave(path, samples_of(tone))
            effect = QSoundEffect(self)
            effect.setSource(QUrl.fromLocalFile(str(path)))
            self._effects[tone] = effect


def _has_sound_server() -> bool:
    """Whether one can be asked for outputs; Qt's own search for a missing one goes on for ever, and can end the program."""
    if sys.platform != "linux" or os.environ.get("PULSE_SERVER"):
        return True
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    return any((runtime / name).exists() for name in ("pulse/native", "pipewire-0"))


def samples_of(tone: Tone) -> NDArray[np.int16]:
    """(N,) int16 at 44.1 kHz: sine notes with soft ends, so that nothing clicks."""
    parts = []
    for hertz, seconds in tone.value:
        t = np.arange(round(seconds * _RATE_HZ)) / _RATE_HZ
        ramp = np.clip(np.minimum(t, seconds - t) / 0.008, 0, 1)
        parts.append(np.sin(2 * np.pi * hertz * t) * ramp * np.exp(-2.5 * t / seconds))
    return (np.concatenate(parts) * _PEAK * 32767).astype(np.int16)


def write_wave(path: Path, samples: NDArray[np.int16]) -> None:
    """One channel of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE_HZ)
        file.writeframes(samples.tobytes())
