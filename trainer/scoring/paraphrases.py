"""Other words for a dataset's instructions, never seen in training: whether a policy understands, or knows by heart.

A JSON file, `{"collect the medkits": ["gather the first aid kits", ...], ...}`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from db.errors import BadArgument, BadFile
from trainer.weights import first_line, read_text

Paraphrases = dict[str, Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]]
_READER = TypeAdapter(Paraphrases)


def read_paraphrases(path: Path) -> Paraphrases:
    """Raises BadFile where there is no such file, or where it is none of these."""
    try:
        return _READER.validate_json(read_text(path))
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, ValidationError) as error:
        raise BadFile(
            f"{path} is no JSON object of instructions, each with a list of other wordings: {first_line(error)}."
        ) from None


def unseen(paraphrases: Mapping[str, tuple[str, ...]], texts: Collection[str], taught: Collection[str]) -> Paraphrases:
    """For each text that is given in the sessions to score, its wordings that are not among the texts `taught`.

    Upper and lower case count as the same. Raises BadArgument for a text that has none: a score over some of the
    instructions would be of other rows than the scores beside it.
    """
    known = {text.casefold() for text in taught}
    found = {
        text: tuple(other for other in paraphrases.get(text, ()) if other.strip() and other.casefold() not in known)
        for text in sorted(set(texts) - {""})
    }
    if without := [text for text, others in found.items() if not others]:
        raise BadArgument(
            f"There are no wordings that training has not seen for {', '.join(map(repr, without))}; add some to the file."
        )
    return found


def drawn(paraphrases: Mapping[str, tuple[str, ...]], seed: int) -> Callable[[str], str]:
    """Says each text in one of its other wordings, the same each time; nothing stays nothing."""
    draws = random.Random(seed)
    chosen = {text: draws.choice(others) for text, others in sorted(paraphrases.items())}
    return lambda text: chosen.get(text, text)
