"""What a model answered, checked hard: nothing in it is trusted, and what does not fit is refused with a sentence."""

from __future__ import annotations

import json
import math
import unicodedata
from dataclasses import dataclass, replace
from typing import Any

from annotator.vision.failures import BadReply

MOST_TEXT = 200
MOST_NARRATIVE = 2000
MOST_CHARACTERS = 200_000
LEAST_S = 0.5
"""What is shorter after it was cut is left out."""
_SHOWN = 80


@dataclass(frozen=True, order=True)
class Said:
    """An instruction over `[start_s, end_s)`, seconds from the session's first frame."""

    start_s: float
    end_s: float
    text: str

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Reply:
    """What is left of an answer: instructions in order that do not overlap, and why others were refused."""

    instructions: tuple[Said, ...]
    narrative: str = ""
    refused: tuple[str, ...] = ()


def read_reply(text: str, start_s: float, stop_s: float) -> Reply:
    """The reply to a window that reaches from `start_s` to `stop_s`. Raises BadReply where it is none as a whole."""
    answer = _read_object(text)
    listed = answer.get("instructions")
    if not isinstance(listed, list):
        raise BadReply('The model\'s answer holds no list named "instructions".')
    most = most_instructions(stop_s - start_s)
    if len(listed) > most:
        raise BadReply(f"The model's answer holds {len(listed)} instructions where at most {most} can be true.")
    kept: list[Said] = []
    refused: list[str] = []
    for number, item in enumerate(listed, 1):
        try:
            kept.append(_read_item(item, start_s, stop_s))
        except ValueError as error:
            refused.append(f"Instruction {number} was refused: {error}.")
    narrative = answer.get("narrative", "")
    if not isinstance(narrative, str):
        refused.append("The narrative was refused: it is no text.")
        narrative = ""
    return Reply(settle(kept), plain(narrative)[:MOST_NARRATIVE], tuple(refused))


def most_instructions(length_s: float) -> int:
    """One in two seconds is more than anybody can follow."""
    return max(math.ceil(length_s / 2), 8)


def settle(said: list[Said]) -> tuple[Said, ...]:
    """In order and without overlap: whoever starts later cuts the one before, and what is left too short goes.

    Neighbours that say the same become one.
    """
    kept: list[Said] = []
    for one in sorted(said):
        if kept and one.start_s < kept[-1].end_s:
            if kept[-1].text.casefold() == one.text.casefold():
                kept[-1] = replace(kept[-1], end_s=max(kept[-1].end_s, one.end_s))
                continue
            kept[-1] = replace(kept[-1], end_s=one.start_s)
            if kept[-1].length_s < LEAST_S:
                kept.pop()
        elif kept and one.start_s == kept[-1].end_s and kept[-1].text.casefold() == one.text.casefold():
            kept[-1] = replace(kept[-1], end_s=one.end_s)
            continue
        kept.append(one)
    return tuple(one for one in kept if one.length_s >= LEAST_S)


def plain(text: str) -> str:
    """One line of visible signs: no control signs, none that turn the direction of writing, no angle brackets."""
    shown = "".join(" " if sign.isspace() else sign for sign in text if _is_visible(sign))
    return " ".join(shown.split())


def _is_visible(sign: str) -> bool:
    if sign.isspace() or sign in "\u200c\u200d":  # joiners, which some scripts and pictures are written with
        return True
    return sign not in "<>" and unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def _read_object(text: str) -> dict[str, Any]:
    if len(text) > MOST_CHARACTERS:
        raise BadReply(f"The model answered {len(text)} characters; at most {MOST_CHARACTERS} are read.")
    body = _unfenced(text.strip())
    try:
        answer = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        shown = plain(body)[:_SHOWN]
        raise BadReply(f"The model did not answer with JSON but with: {shown or 'nothing'}") from None
    if not isinstance(answer, dict):
        raise BadReply("The model's answer is JSON but no object with instructions.")
    return answer


def _unfenced(text: str) -> str:
    """Many models wrap JSON into a fence of three ticks whatever they are told."""
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        return text[text.index("\n") + 1 : -3].strip()
    return text


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _read_item(item: object, start_s: float, stop_s: float) -> Said:
    if not isinstance(item, dict):
        raise ValueError("it is no object")
    first, last = _seconds(item.get("start_s"), "start_s"), _seconds(item.get("end_s"), "end_s")
    if last <= first:
        raise ValueError("it ends before it starts")
    said = item.get("text")
    if not isinstance(said, str):
        raise ValueError("it has no text")
    text = plain(said)
    if not text:
        raise ValueError("its text is empty")
    if len(text) > MOST_TEXT:
        raise ValueError(f"its text has {len(text)} characters, more than {MOST_TEXT}")
    first, last = max(first, start_s), min(last, stop_s)
    if last - first < LEAST_S:
        raise ValueError("it lies outside of the pictures")
    return Said(first, last, text)


def _seconds(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"its {name} is no number")
    try:
        seconds = float(value)
    except OverflowError:
        seconds = math.inf
    if not math.isfinite(seconds):
        raise ValueError(f"its {name} is no number")
    return seconds
