"""Processor time of recording a real game, beside ffmpeg's x11grab with the same encoder, on the same screen.

Both programs record the same window of the running game (ViZDoom, played by a script), in turns: recorder, ffmpeg,
recorder, ... A turn counts the processor time of the whole process (its start left out) over the frames that it stored.
The ratio is the median over the turns, since a machine does not stay equally fast. Only the recorder records inputs too.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from bench import windowed
from db.clock import now_ns
from db.recording.reader import Recording
from db.specs import CaptureSpec
from db.store import Store
from demo.programs import Program
from games.xserver import XServer

CASES = (((1280, 720), 60.0), ((1920, 1080), 30.0))
SCREEN_PX = (3300, 1280)
"""Room for the larger window and its frame, and for the recorder's own window beside it."""
TURN_S = 20.0
TURNS = 5
SETTLE_S = 2.0
"""How long after its first frame a turn begins to count: imports and first pages are no cost of capture."""
_READY_S = 60.0
_TICK_HZ = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Turn:
    """One program for a while: processor milliseconds a frame, and how many frames there were a second."""

    ms_per_frame: float
    frames_hz: float


@dataclass(frozen=True)
class Run:
    """One run of the recorder: what it stored, and processor seconds within `span_ns` and from its start to its end."""

    recording: Recording
    span_ns: tuple[int, int]
    cpu_s: float
    total_s: float

    @property
    def frames_within(self) -> int:
        t_ns = self.recording.clock.t_ns
        return int(((t_ns >= self.span_ns[0]) & (t_ns < self.span_ns[1])).sum())


def measure(seconds: float = 300.0, *, turns: int = TURNS, turn_s: float = TURN_S) -> dict[str, Any]:
    """For each size and rate: `turns` pairs of turns, then one recording of `seconds` for drops and intervals."""
    rows: dict[str, Any] = {}
    for size_px, rate_hz in CASES:
        name = f"{size_px[0]}x{size_px[1]} at {rate_hz:g}"
        total_s = 4 * turns * (turn_s + 25) + seconds + 60
        with tempfile.TemporaryDirectory() as folder, _play(size_px, total_s, Path(folder)) as stage:
            given = defaultdict(list)
            for _ in range(turns):
                turn, spec = stage.record(rate_hz, turn_s)
                given["recorder, headless"].append(turn)
                given["ffmpeg"].append(stage.run_ffmpeg(spec, turn_s))
                for preview in (False, True):
                    who = f"recorder's window, preview {'on' if preview else 'off'}"
                    turn, its_spec = stage.record_in_window(rate_hz, turn_s, preview=preview)
                    given[who].append(turn)
                    rows[f"{name}: {who}, encoder"] = f"{its_spec.codec} {its_spec.preset} crf {its_spec.crf}"
            rows[f"{name}: encoder"] = f"{spec.codec} {spec.preset} crf {spec.crf}"
            for who, turns_of in given.items():
                if who == "ffmpeg":
                    continue
                ratios = [a.ms_per_frame / b.ms_per_frame for a, b in zip(turns_of, given["ffmpeg"], strict=True)]
                rows[f"{name}: {who} / ffmpeg, median (all)"] = f"{statistics.median(ratios):.2f} ({_list(ratios)})"
            for who, turns_of in given.items():
                rows[f"{name}: {who}, CPU ms a frame"] = round(statistics.median(t.ms_per_frame for t in turns_of), 2)
                rows[f"{name}: {who}, frames a second"] = round(statistics.median(t.frames_hz for t in turns_of), 2)
            rows |= {f"{name}: {key}": value for key, value in stage.endure(rate_hz, seconds).items()}
    return rows


class _Stage:
    """A game in its window on a display of its own, being played; programs record it one after the other."""

    def __init__(self, server: XServer, ready: Mapping[str, Any], folder: Path) -> None:
        self._server, self._folder = server, folder
        self._window_id = int(ready["window_id"])
        self._place_px = (int(ready["x_px"]), int(ready["y_px"]))
        self._size_px = (int(ready["size_px"][0]), int(ready["size_px"][1]))

    def record(self, rate_hz: float, seconds: float) -> tuple[Turn, CaptureSpec]:
        """A turn of the recorder: what it cost, and the spec that it chose."""
        run = self._record(rate_hz, seconds)
        count, span_s = run.frames_within, (run.span_ns[1] - run.span_ns[0]) / 1e9
        return Turn(run.cpu_s / count * 1000, count / span_s), run.recording.meta.capture

    def record_in_window(self, rate_hz: float, seconds: float, *, preview: bool) -> tuple[Turn, CaptureSpec]:
        """A turn of the recorder with its own window, beside the game's, and the spec that it chose."""
        recording, (cpu_s, span_ns) = windowed.record(
            self._server, self._folder, rate_hz, preview=preview, watch=lambda pid: _watch(pid, seconds)
        )
        run = Run(recording, span_ns, cpu_s, 0.0)
        count, span_s = run.frames_within, (span_ns[1] - span_ns[0]) / 1e9
        return Turn(cpu_s / count * 1000, count / span_s), recording.meta.capture

    def endure(self, rate_hz: float, seconds: float) -> dict[str, Any]:
        """One long recording: what was dropped, and how even the frames are."""
        run = self._record(rate_hz, seconds)
        recording = run.recording
        intervals_ms = np.diff(recording.clock.t_ns) / 1e6
        grab_ms = (recording.frames["t_ns"] - recording.frames["t_before_ns"]) / 1e6
        meta = recording.meta
        return {
            "seconds, frames": [round(seconds), len(recording.clock)],
            "dropped frames, events": [meta.dropped_frames, meta.dropped_events],
            "inputs recorded": len(recording.events),
            "frame interval, ms, p50 / p95 / p99 / most": [
                round(float(np.percentile(intervals_ms, q)), 2) for q in (50, 95, 99, 100)
            ],
            "grab, ms, p50 / p99": [round(float(np.percentile(grab_ms, q)), 2) for q in (50, 99)],
            "pictures that were the same again, %": round(float(recording.frames["duplicate"].mean()) * 100, 1),
            "CPU ms a frame, with start, stop and verdict": round(run.total_s / len(recording.clock) * 1000, 2),
            "cores used by the recorder": round(run.cpu_s / (run.span_ns[1] - run.span_ns[0]) * 1e9, 3),
        }

    def run_ffmpeg(self, spec: CaptureSpec, seconds: float) -> Turn:
        """A turn of ffmpeg with the recorder's encoder settings, so far as they are settings of both."""
        width, height = self._size_px
        place = f"{self._server.display}+{self._place_px[0]},{self._place_px[1]}"
        path = self._folder / "ffmpeg.mkv"
        command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-filter_threads", "1"]
        command += ["-f", "x11grab", "-framerate", f"{spec.rate_hz:g}", "-video_size", f"{width}x{height}"]
        command += ["-draw_mouse", "0", "-i", place, "-fps_mode", "passthrough", "-pix_fmt", "yuv420p"]
        command += ["-c:v", spec.codec, "-preset", spec.preset, "-crf", str(spec.crf), "-tune", "zerolatency"]
        command += ["-g", str(round(spec.rate_hz * spec.keyframe_s)), "-bf", "0", "-threads", "1"]
        command += ["-sws_flags", "bilinear", "-f", "matroska", str(path)]
        process = subprocess.Popen(command)
        try:
            _wait_for(lambda: path.exists() and path.stat().st_size > 0)
            cpu_s, (start_ns, stop_ns) = _watch(process.pid, seconds)
        finally:
            process.terminate()
            process.wait()
        with av.open(str(path)) as container:
            times = [packet.pts * packet.time_base for packet in container.demux(video=0) if packet.pts is not None]
        frames_hz = float((len(times) - 1) / (times[-1] - times[0]))
        return Turn(cpu_s / (frames_hz * (stop_ns - start_ns) / 1e9) * 1000, frames_hz)

    def _record(self, rate_hz: float, seconds: float) -> Run:
        before_s = _ended_children_s()
        library = self._folder / "library"
        command = ["recorder", "--headless", "--json", "--library", str(library), "--window-id", str(self._window_id)]
        command += ["--fps", f"{rate_hz:g}", "--game", "arena", "--player", "bench", "--actor", "script"]
        with Program(command, self._server.env(), self._folder / "errors.log") as recorder:
            session_id = str(recorder.read("session", _READY_S)["session"])
            cpu_s, span_ns = _watch(recorder.pid, seconds)
            recorder.stop()
            recorder.wait(_READY_S)
        with Store.open(library, create=False) as store:
            recording = store.recording(session_id)
            _ = recording.clock, recording.events, recording.frames  # read while the library is open
        return Run(recording, span_ns, cpu_s, _ended_children_s() - before_s)


@contextmanager
def _play(size_px: tuple[int, int], seconds: float, folder: Path) -> Iterator[_Stage]:
    """The game at this size, played for so long by a script."""
    with XServer(SCREEN_PX, window_manager=True) as server:
        command = ["games.doom", "--display", server.display, "--log", str(folder), "--actor", "demonstrator"]
        command += ["--seconds", f"{seconds:g}", "--size", f"{size_px[0]}x{size_px[1]}", "--seed", "5"]
        with Program(command, server.env(), folder / "errors.log", cwd=folder) as game:
            ready = game.read("ready", _READY_S)
            game.say("go")
            yield _Stage(server, ready, folder)


def _watch(pid: int, seconds: float) -> tuple[float, tuple[int, int]]:
    """Lets a program settle, then counts its processor seconds for so long: those, and from when until when."""
    time.sleep(SETTLE_S)
    start_s, start_ns = _cpu_s(pid), now_ns()
    time.sleep(seconds)
    stop_s, stop_ns = _cpu_s(pid), now_ns()
    return stop_s - start_s, (start_ns, stop_ns)


def _cpu_s(pid: int) -> float:
    """User and system time of a process with all its threads so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK_HZ


def _ended_children_s() -> float:
    """Processor seconds of all programs that were started here and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _wait_for(condition: Any) -> None:
    deadline_s = time.monotonic() + _READY_S
    while not condition():
        if time.monotonic() > deadline_s:
            raise TimeoutError("ffmpeg wrote nothing")
        time.sleep(0.05)


def _list(values: list[float]) -> str:
    return " ".join(f"{value:.2f}" for value in values)
