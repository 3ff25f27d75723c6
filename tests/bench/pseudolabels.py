"""What an IDM's labels are worth to a policy: a tenth of the play with its inputs, the rest as videos without.

    python -m bench pseudolabels --library DIR --dataset ID --minutes M

Of each game one session of the training split counts as recorded, and only so much of it that all of them are a tenth of the
split. An IDM trained on that tenth imputes the actions of the split's other sessions, whose inputs nothing looks at. Every policy
gets the same minutes and is scored on the same held-out sessions, which no IDM has seen; thresholds and checkpoints are chosen on the
same calibration sessions, inputs included. Each stage is a file in `--out`: a bench that was ended goes on after the last.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.trials import Row, read_row, scores_of, train
from db.files import replace_text
from db.store import Store
from trainer.configs import IdmConfig, PolicyConfig
from trainer.data.dataset import describe
from trainer.data.imputed import DEFAULT_CONFIDENCE, digest_of, track_path, write_track
from trainer.data.manifest import (
    Imputation,
    Item,
    Manifest,
    Source,
    Stretch,
    latest_dataset,
    read_manifest,
    write_manifest,
)
from trainer.imputing import open_imputer
from trainer.scoring.rivals import BASELINES, MODEL, SHUFFLED

HUMAN_SHARE = 0.1
LITTLE, LITTLE_MORE, TWICE, ALL = (
    "a tenth with inputs",
    "a tenth + imputed, together",
    "imputed, then a tenth",
    "all with inputs",
)


def main(argv: list[str]) -> int:
    args = _parse(argv)
    with Store.open(args.library) as store:
        whole = read_manifest(store, args.dataset or latest_dataset(store))
        out: Path = args.out or args.library / "bench" / f"pseudolabels-{whole.id}"
        out.mkdir(parents=True, exist_ok=True)
        stages = _Stages(
            out, {"dataset": whole.hash, "minutes": args.minutes, "threads": args.threads, "seed": args.seed}
        )
        rows = _measure(store, whole, stages, args)
    table = "\n".join(_table(rows))
    replace_text(out / "table.txt", table + "\n")
    print(table, flush=True)
    return 0


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench pseudolabels", description=__doc__)
    parser.add_argument("--library", type=Path, required=True, metavar="DIR")
    parser.add_argument("--dataset", metavar="ID", help="default: the newest")
    parser.add_argument("--minutes", type=float, default=4.0, metavar="M", help="of each model (default: 4)")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="(default: 2)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: bench/pseudolabels-ID in the library")
    return parser.parse_args(argv)


class _Stages:
    """Does what is not done yet, and keeps it."""

    def __init__(self, out: Path, key: Row) -> None:
        self._out, self._key = out, key

    def do(self, name: str, work: Callable[[], Row]) -> Row:
        path = self._out / f"{name.replace(' ', '-')}.json"
        row = read_row(path, self._key)
        if row is None:
            print(f"   {name} ...", flush=True)
            row = {"key": self._key, **work()}
            replace_text(path, json.dumps(row, indent=1) + "\n")
        return row


def _measure(store: Store, whole: Manifest, stages: _Stages, args: argparse.Namespace) -> dict[str, Row]:
    def learn(
        manifest: Manifest, config: IdmConfig | PolicyConfig, minutes: float, on: Source, after: str | None = None
    ) -> Row:
        found = train(
            store,
            manifest,
            config,
            minutes=minutes,
            threads=args.threads,
            seed=args.seed,
            train_on=on,
            start_from=after,
        )
        return {**found, "scores": scores_of(store, found["model"])}

    minutes: float = args.minutes
    few = stages.do("freeze", lambda: {"dataset": _freeze(store, whole, _tenth(store, whole), "tenth").id})
    tenth = read_manifest(store, few["dataset"])
    rows = {"IDM of a tenth": stages.do("idm", lambda: learn(tenth, IdmConfig(), minutes, "human"))}
    idm = rows["IDM of a tenth"]["model"]
    more = stages.do("label", lambda: {"dataset": _impute(store, whole, tenth, idm).id})
    imputed = read_manifest(store, more["dataset"])
    policy = PolicyConfig()
    rows[LITTLE] = stages.do("little", lambda: learn(tenth, policy, minutes, "human"))
    rows[LITTLE_MORE] = stages.do("together", lambda: learn(imputed, policy, minutes, "all"))
    first = stages.do("pretrain", lambda: learn(imputed, policy, minutes / 2, "imputed"))
    rows[TWICE] = stages.do("finetune", lambda: learn(imputed, policy, minutes / 2, "human", first["model"]))
    rows[ALL] = stages.do("all", lambda: learn(whole, policy, minutes, "human"))
    return rows


def _tenth(store: Store, whole: Manifest) -> list[Item]:
    """Of each game the training session whose name comes first, masked after its share of the tenth."""
    train = whole.of("train", "human")
    first: dict[str, Item] = {}
    for item in sorted(train, key=lambda item: item.session_id):
        first.setdefault(item.game, item)
    wanted = HUMAN_SHARE * sum(item.learnable_ticks for item in train)
    share = min(1.0, wanted / sum(item.learnable_ticks for item in first.values()))
    return [_begin(store, whole, item, share) for item in first.values()]


def _begin(store: Store, whole: Manifest, item: Item, share: float) -> Item:
    """The item with all that comes after this share of its ticks masked."""
    clock = store.recording(item.session_id).clock
    ticks = clock.ticks(whole.clip.rate_hz)
    keep = round(share * len(ticks))
    rest = Stretch(start=int(ticks[keep]), stop=len(clock), text="trim") if keep < len(ticks) else None
    kept = {"masked": (*item.masked, *([rest] if rest else [])), "learnable_ticks": round(share * item.learnable_ticks)}
    return item.model_copy(update=kept)


def _freeze(store: Store, whole: Manifest, train: Sequence[Item], name: str) -> Manifest:
    """The same dataset with other training sessions: the same keys, mouse bins, held-out and calibration sessions."""
    others = [item for item in whole.items if item.split != "train"]
    made = whole.model_copy(
        update={
            "id": f"{whole.id}-{name}",
            "created_at": datetime.now(UTC).isoformat(),
            "items": tuple(sorted((*others, *train), key=lambda item: item.session_id)),
        }
    )
    made = made.model_copy(update={"hash": made.content_hash()})
    write_manifest(store, made)
    return made


def _impute(store: Store, whole: Manifest, tenth: Manifest, idm: str) -> Manifest:
    imputer = open_imputer(store, idm, min_confidence=DEFAULT_CONFIDENCE)
    known = {item.session_id for item in tenth.items}
    videos = [item for item in whole.of("train", "human") if item.session_id not in known]
    items, tracks = [], []
    for video in videos:
        track = imputer.track(store, video.session_id, whole.clip)
        source = Imputation(model=imputer.model, min_confidence=imputer.min_confidence, track=digest_of(track))
        items.append(describe(store, video.session_id, whole.clip, whole.choice, (source, track)).item)
        tracks.append(track)
    made = _freeze(store, whole, [*tenth.of("train", "human"), *items], "imputed")
    for item, track in zip(items, tracks, strict=True):
        write_track(track_path(store, made.id, item.session_id, digest_of(track)), track)
    return made


def _table(rows: dict[str, Row]) -> Iterator[str]:
    names = ("keys ppl", "dx ppl", "dy ppl", "all CE", "macro AP", "onset ±1", "shuffled CE")
    yield f"{'':<32}" + "".join(f"{name:>13}" for name in names)
    for baseline in BASELINES:
        yield f"{baseline:<32}" + _figures(rows[ALL]["scores"], baseline)
    for name, row in rows.items():
        yield f"{name:<32}" + _figures(row["scores"], MODEL)


def _figures(scores: Row, who: str) -> str:
    entropy = scores[who]["cross_entropy"]
    shuffled = scores.get(SHUFFLED, {}).get("cross_entropy", {}).get("all") if who == MODEL else None
    values = [*(scores[who]["perplexity"][head] for head in ("keys", "dx", "dy")), entropy["all"]]
    values += [scores[who]["macro_ap"], scores[who]["onset_f1"]["1"], shuffled]
    return "".join(f"{'-' if value is None else format(value, '.3f'):>13}" for value in values)
