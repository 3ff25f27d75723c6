"""Model cards and comparisons: complete, escaped, self-contained, and silent about nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import torch

from db.errors import BadArgument, BadFile, NotFound
from db.store import Store
from trainer.__main__ import main
from trainer.cards import comparison, plots
from trainer.cards.limits import limits_of
from trainer.cards.report import render_card
from trainer.cards.tables import render
from trainer.data.clips import Take, load_takes
from trainer.data.manifest import Manifest
from trainer.models import Card, MarginalCard, build, load_model, read_card, save_model
from trainer.scoring import evaluate as evaluation
from trainer.scoring.baselines import Marginal
from trainer.scoring.evaluate import card_path, differ, evaluate, read_evaluation, to_json
from trainer.scoring.inference import truth_of
from trainer.scoring.latency import measure_latency, measure_speed
from trainer.scoring.rivals import BASELINES, BLIND, MODEL, SHUFFLED

HOSTILE = '"><script>alert(1)</script>$\\frac{& \u65e5\u672c'
_VOID = {"meta", "br", "img", "path", "use", "image"}


@pytest.fixture(scope="module")
def make_model(toy_library: Path, toy_manifest: Manifest, configs: dict[str, Callable[..., Any]]) -> Callable[..., str]:
    """Models that were never trained: what is written of them is what is tested here."""

    def make(kind: str, name: str, seed: int = 0) -> str:
        with Store.open(toy_library) as store:
            truths = [truth_of(take) for take in load_takes(store, toy_manifest, toy_manifest.of("train"))]
            torch.manual_seed(seed)
            config = configs[kind]()
            net = build(config, toy_manifest.clip, toy_manifest.space)
            facts = {"dataset_id": toy_manifest.id, "dataset_hash": toy_manifest.hash, "run_id": name, "seed": seed}
            card = Card(
                **facts, id=name, config=config, clip=toy_manifest.clip, space=toy_manifest.space, steps=7, best_step=5,
                created_at="2026-01-02T03:04:05+00:00", thresholds=(0.5,) * len(toy_manifest.space.codes),
                marginal=MarginalCard.of(Marginal.fit(truths, toy_manifest.space)),
            )  # fmt: skip
            save_model(store, card, net.state_dict())
            return card.id

    return make


@pytest.fixture(scope="module")
def models(make_model: Callable[..., str]) -> dict[str, str]:
    return {"idm": make_model("idm", "card-idm"), "policy": make_model("policy", "card-policy")}


class Page(HTMLParser):
    """Fails on an element left open or closed twice; keeps what the page asks for and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []
        self.text = ""
        self.feed(html)
        assert not self.opened

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.opened.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.opened.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def asks_for(self) -> list[str]:
        """What is not in the page itself."""
        places = [
            value or ""
            for _, attrs in self.seen
            for name, value in attrs.items()
            if name in ("src", "xlink:href", "href")
        ]
        return [place for place in places if not place.startswith(("#", "data:"))]


@pytest.mark.parametrize("kind", ["idm", "policy"])
def test_the_page_says_what_was_measured(
    toy_store: Store, toy_manifest: Manifest, models: dict[str, str], kind: str
) -> None:
    found = evaluate(toy_store, models[kind])
    html = card_path(toy_store, models[kind]).read_text(encoding="utf-8")
    page = Page(html)
    tags = {tag for tag, _ in page.seen}
    assert "script" not in tags
    assert page.asks_for() == []
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html
    assert html.count("<svg") >= 4
    for expected in (
        toy_manifest.hash,
        toy_manifest.id,
        "What this model cannot do",
        "Space",
        *BASELINES,
        BLIND,
        "toy",
    ):
        assert expected in page.text
    assert f"playtape-train {kind} --dataset {toy_manifest.id} --config toy --steps 7 --seed 0" in page.text
    assert ("nats" in page.text and "KL( f(o, a)" in page.text) == (kind == "policy")
    assert found["scores"][MODEL]["keys"].keys() == {"KEY_A", "KEY_D", "KEY_SPACE"}
    assert "macro AP" in render(found)
    stored = read_evaluation(toy_store, models[kind])
    assert stored == json.loads(json.dumps(to_json(found)))
    assert render(stored) == render(found)


def test_every_game_has_its_own_figures_and_no_name_is_markup(
    toy_store: Store, toy_manifest: Manifest, models: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def rename(*args: Any, **kwargs: Any) -> list[Take]:
        takes = load_takes(*args, **kwargs)
        games = [HOSTILE, "b"]
        return [replace(t, item=t.item.model_copy(update={"game": games[i % 2]})) for i, t in enumerate(takes)]

    monkeypatch.setattr(evaluation, "load_takes", rename)
    found = evaluate(toy_store, models["policy"], "train")
    assert found["games"].keys() == {HOSTILE, "b"}
    rows = [part["scores"][MODEL]["rows"] for part in found["games"].values()]
    assert sum(rows) == found["scores"][MODEL]["rows"]
    assert HOSTILE in render(found)
    card, plain = read_card(toy_store, models["policy"]), to_json(found)
    warned = toy_manifest.model_copy(update={"warnings": (HOSTILE,)})
    named = card.model_copy(update={"id": HOSTILE, "config": card.config.model_copy(update={"name": HOSTILE})})
    html = render_card(named, warned, plain)
    page = Page(html)
    assert "script" not in {tag for tag, _ in page.seen}
    assert page.text.count(HOSTILE) >= 5
    assert page.asks_for() == []


def test_a_model_that_learnt_nothing_is_told_so(
    toy_store: Store, toy_manifest: Manifest, models: dict[str, str]
) -> None:
    plain = to_json(evaluate(toy_store, models["policy"]))
    said = " ".join(limits_of(read_card(toy_store, models["policy"]), toy_manifest, plain))
    assert "hardly looks" in said
    assert "does not follow" in said
    assert "no better than pressing keys at their usual rates" in said
    assert "rest on" in said
    assert "never moves up and down" in said
    plain["scores"][SHUFFLED]["cross_entropy"]["all"] += 1
    plain["split"] = "train"
    said = " ".join(limits_of(read_card(toy_store, models["policy"]), toy_manifest, plain))
    assert "does not follow" not in said
    assert "the model was made with" in said
    idm = to_json(evaluate(toy_store, models["idm"]))
    assert "cannot be used to play" in " ".join(limits_of(read_card(toy_store, models["idm"]), toy_manifest, idm))


def test_models_are_compared_on_the_same_rows_alone(
    toy_store: Store, models: dict[str, str], make_model: Callable[..., str], tmp_path: Path
) -> None:
    other = make_model("idm", "card-other", seed=5)
    found = comparison.compare(toy_store, [models["idm"], other])
    assert [card.id for card in found.cards] == [models["idm"], other]
    out = tmp_path / "comparison.html"
    comparison.write_page(found, out)
    page = Page(out.read_text(encoding="utf-8"))
    assert page.asks_for() == []
    assert other in page.text
    assert other in comparison.render_text(found)
    assert json.loads(json.dumps(comparison.to_facts(found)))["models"] == [models["idm"], other]
    best = next(line for line in found.parts[0][1] if line.name == "macro AP")
    assert best.best is None or best.values[best.best] == max(v for v in best.values if v is not None)
    with pytest.raises(BadArgument, match="kind"):
        comparison.compare(toy_store, [models["idm"], models["policy"]])
    for ids in ([other], [other, other]):
        with pytest.raises(BadArgument, match="two models"):
            comparison.compare(toy_store, ids)
    assert comparison.compare(toy_store, [models["idm"], other], "train").evaluations[1]["split"] == "train"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, None),
        ({"kind": "policy"}, "kind"),
        ({"split": "train"}, "train sessions"),
        ({"sessions": ["a", "c", "d"]}, "3 of them"),
        ({"truth": {"digest": "0", "rate_hz": 20.0, "keys": ["KEY_A"]}}, "15 and 20 pictures"),
        ({"truth": {"digest": "0", "rate_hz": 15.0, "keys": ["KEY_B"]}}, "other keys"),
        ({"truth": {"digest": "1", "rate_hz": 15.0, "keys": ["KEY_A"]}}, "labels or corrections"),
    ],
)
def test_why_two_evaluations_cannot_be_compared(change: dict[str, Any], why: str | None) -> None:
    truth = {"digest": "0", "rate_hz": 15.0, "keys": ["KEY_A"]}
    one = {"model": "m", "kind": "idm", "split": "held-out", "sessions": ["a", "b"], "truth": truth}
    said = differ(one, one | {"model": "n"} | change)
    assert said is None if why is None else said is not None and why in said


def test_figures_that_are_damaged_or_missing_are_one_sentence(toy_store: Store, make_model: Callable[..., str]) -> None:
    model = make_model("idm", "card-damaged")
    with pytest.raises(NotFound, match="has not been evaluated"):
        read_evaluation(toy_store, model)
    path = toy_store.models_dir / model / evaluation.NAME
    for text in ("{", "[]", '{"format": 1}', "[" * 100_000):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(BadFile, match="evaluate --model"):
            read_evaluation(toy_store, model)


def test_speed_is_measured_and_the_machine_named(
    toy_store: Store, toy_manifest: Manifest, models: dict[str, str]
) -> None:
    before = torch.get_num_threads()
    found = measure_latency(load_model(toy_store, models["policy"]), steps=25, threads=1)
    assert torch.get_num_threads() == before
    assert found.steps == 25
    assert 0 < found.p50_ms <= found.p99_ms
    assert "torch" in found.machine
    take = load_takes(toy_store, toy_manifest, toy_manifest.of("held-out"))[0]
    speed = measure_speed(load_model(toy_store, models["idm"]), take)
    assert speed.frames_per_s > 0
    assert 0 < speed.frames <= len(take)


def test_plots_stand_alone_and_figures_may_be_missing() -> None:
    bars = plots.draw_bars(
        [("a", {"x": 0.5, "y": None}), ("b", {"x": -40.0, "y": 0.2}), ("c", {"x": None, "y": 0.0})], ["x"]
    )
    assert "cannot be told" in bars
    assert "-40.000" in bars
    assert ">c<" not in bars, "a panel with nothing to show is left out"
    assert "#0a0b" not in bars
    assert "var(--c10)" in bars
    assert plots.draw_bars([("c", {"x": None})], ["x"]) == ""
    assert plots.draw_mouse("dy", {"limit": 0.0, "counts": []}, None) == ""
    empty = {"counts": [0] * 10, "said": [None] * 10, "came": [None] * 10}
    assert plots.draw_reliability(empty) == ""
    named = plots.draw_bars([("a", {HOSTILE: 0.5})], [HOSTILE])
    assert HOSTILE in Page(named).text
    assert "<script" not in named
    curves = {f"KEY_{c}": {"recall": [0.5, 1.0], "precision": [1.0, 0.5]} for c in "ABCDEFGHIJ"}
    curves["KEY_K"] = {"recall": [], "precision": []}
    drawn = plots.draw_precision_recall(curves, dict.fromkeys(curves, 0.5) | {"KEY_K": None})
    assert drawn.count("(0.50)") == 8
    assert "K (" not in drawn


def test_the_command_line_compares(
    toy_library: Path, models: dict[str, str], make_model: Callable[..., str], tmp_path: Path, capsys: Any
) -> None:
    other, out = make_model("idm", "card-third", seed=9), tmp_path / "c.html"
    common = ["--library", str(toy_library), "--threads", "1"]
    assert main(["compare", models["idm"], other, "--out", str(out), "--json", *common]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["models"] == [models["idm"], other]
    assert Page(out.read_text(encoding="utf-8")).text
    assert main(["compare", models["idm"], models["policy"], *common]) == 1
    assert "cannot be compared" in capsys.readouterr().err
    assert main(["evaluate", "--model", other, "--json", *common]) == 0
    assert Path(json.loads(capsys.readouterr().out.splitlines()[-1])["card"]).is_file()
