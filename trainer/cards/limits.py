"""What a model cannot do, and what its figures do not say, in plain sentences drawn from its own numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from db.recording.keys import label
from trainer.cards.tables import key_label
from trainer.data.manifest import Manifest
from trainer.models import Card
from trainer.scoring.rivals import BLIND, MARGINAL, MODEL, REWORDED, SHUFFLED, TEXTLESS

_FEW_PRESSES = 10
_LITTLE_MINUTES = 10.0
_NOTHING_GAINED = 0.02
"""A difference in nats, in AP or in R² below which two figures count as the same."""


def limits_of(card: Card, manifest: Manifest, evaluation: dict[str, Any]) -> list[str]:
    """Sentences, the most important first."""
    scores = evaluation["scores"]
    sentences = [*_of_the_rows(evaluation, manifest), *_of_keys(scores), *_of_the_mouse(scores)]
    is_played = bool(evaluation.get("played"))
    sentences += _of_a_policy(card, scores, is_played) if card.kind == "policy" else _of_an_idm(card)
    return [*sentences, *_of_the_data(card, manifest)]


def _of_the_rows(evaluation: dict[str, Any], manifest: Manifest) -> Iterator[str]:
    if evaluation["split"] != "held-out":
        yield (
            f"These figures are of the {evaluation['split']} sessions, which the model was made with: they do not say "
            "what it does on sessions it has not seen."
        )
    count, minutes = len(evaluation["sessions"]), evaluation["minutes"]
    if minutes < _LITTLE_MINUTES or count < 3:
        sessions = f"{count} session{'s' * (count != 1)}"
        yield f"These figures rest on {minutes:.1f} minutes of {sessions}: another day's play may give quite other ones."
    shared = {item.player for item in manifest.items if item.split == "train"} & {
        item.player for item in manifest.items if item.split == evaluation["split"]
    }
    if shared and evaluation["split"] != "train":
        yield "The same people play in training and in these sessions: what it makes of other people is not measured."


def _of_keys(scores: dict[str, Any]) -> Iterator[str]:
    keys = scores[MODEL]["keys"]
    unseen = [key_label(code) for code, key in keys.items() if not key["presses"]]
    few = [key_label(code) for code, key in keys.items() if 0 < key["presses"] < _FEW_PRESSES]
    guessed = [
        key_label(code)
        for code, key in keys.items()
        if key["ap"] is not None and key["ap"] <= key["prevalence"] + _NOTHING_GAINED
    ]
    if unseen:
        yield f"Never pressed in these sessions, so that nothing is known of how well they are told: {_listed(unseen)}."
    if few:
        yield f"Pressed fewer than {_FEW_PRESSES} times here, so that their figures say little: {_listed(few)}."
    if guessed:
        yield f"Not learnt: it tells no better than chance when these are down: {_listed(guessed)}."


def _of_the_mouse(scores: dict[str, Any]) -> Iterator[str]:
    for axis, words in (("dx", "sideways"), ("dy", "up and down")):
        own, plain = (scores[who]["mouse"][axis]["r2"] for who in (MODEL, MARGINAL))
        if own is None:
            yield f"The mouse never moves {words} in these sessions: whether it could tell is not known."
        elif own <= max(0.0, plain or 0.0) + _NOTHING_GAINED:
            yield f"It does not know how far the mouse moves {words}: the mean would do as well."


def _of_a_policy(card: Card, scores: dict[str, Any], is_played: bool) -> Iterator[str]:
    entropy = {who: found["cross_entropy"]["all"] for who, found in scores.items()}
    own = entropy[MODEL]
    if own >= entropy[MARGINAL] - _NOTHING_GAINED:
        yield "It is no better than pressing keys at their usual rates without looking."
    if entropy[BLIND] <= own + _NOTHING_GAINED:
        yield "It does as well with its pictures greyed out: it hardly looks."
    if SHUFFLED not in entropy:
        yield "These sessions have fewer than two instructions: whether it follows one is not known."
    elif entropy[SHUFFLED] <= own + _NOTHING_GAINED:
        yield "Wrong instructions do not change what it does for the worse: it does not follow them."
    if REWORDED in entropy and entropy[REWORDED] >= entropy[TEXTLESS] - _NOTHING_GAINED:
        yield "Told in words that it was not taught with, it does as if it were told nothing: it knows instructions by heart."
    seen = getattr(card.config, "history", None) or card.config.window
    yield (
        f"It looks back {seen} pictures ({seen / card.clip.rate_hz:.1f} s) and remembers nothing before them: it cannot "
        "pursue what takes longer."
    )
    beside = "stands under In play" if is_played else "is not in them"
    yield f"The figures say how well it imitates, frame by frame. How well it plays is another thing, and {beside}."


def _of_an_idm(card: Card) -> Iterator[str]:
    yield "It cannot tell an input that leaves no trace in the picture, such as a key pressed in a menu that ignores it."
    yield (
        f"It tells what was held between two pictures, {1000 / card.clip.rate_hz:.0f} ms apart, not the order of presses "
        "within."
    )
    yield "It needs the pictures after a moment, so that it cannot be used to play."


def _of_the_data(card: Card, manifest: Manifest) -> Iterator[str]:
    if "imputed" in {card.train_on, *(lesson.train_on for lesson in card.history)} or manifest.imputed_hours:
        yield "Part of what it learnt was imputed by a model and not done by people: that model's mistakes may be in it."
    keys = _listed([label(code) for code in card.space.codes]) or "none"
    yield f"It knows these keys and buttons and no other: {keys}."
    games = sorted({item.game for item in manifest.items if item.split == "train"} - {""})
    if games:
        yield f"It has seen {_listed(games)} and nothing else; what it makes of another game is not known."
    width, height = card.clip.size_px
    yield f"It sees pictures of {width} x {height} pixels: what cannot be told in them, it cannot tell."


def _listed(words: list[str]) -> str:
    return ", ".join(words)
