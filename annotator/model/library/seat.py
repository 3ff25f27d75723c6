"""As what a person sits at a session: to label it, to label it a second time, or to compare two readings of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from annotator.model.document import EditLog
from db.labelling.readings import ComparedLog, FirstLog, SecondLog


class Role(StrEnum):
    LABEL = "label"
    """Also to review."""
    SECOND = "second reading"
    """Blind: nobody else's labels are seen."""
    COMPARE = "compare"


@dataclass(frozen=True)
class Seat:
    role: Role = Role.LABEL
    second: str = ""
    """The second reader whose reading it is, or is compared."""

    def log(self, log: EditLog) -> EditLog:
        """A log of edits as it is seen from here."""
        if self.role is Role.SECOND:
            return SecondLog(log, self.second)
        return ComparedLog(log, self.second) if self.role is Role.COMPARE else FirstLog(log)


LABELLING = Seat()
