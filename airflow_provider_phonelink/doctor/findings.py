"""A finding: what was seen, how sure it is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: The most numbers or agents that a finding names.
MOST_NAMED = 5


class Level(str, Enum):
    """Whether somebody has to do something."""

    OK = "ok"
    #: Worth knowing, or not to be told by reading.
    NOTE = "note"
    TO_DO = "to do"


class Sure(str, Enum):
    """How sure a finding is."""

    #: It was read as it is.
    SEEN = "seen"
    #: It follows from what was seen, if the vendor treats all alike.
    LIKELY = "likely"
    #: Reading cannot tell, or could not tell here.
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of what the doctor says."""

    #: What it is about, in two or three words; the same ones at each run.
    about: str
    seen: str
    level: Level = Level.OK
    sure: Sure = Sure.SEEN
    #: What to do, or what to set on the connection; empty if there is nothing.
    advice: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the plain form for output."""
        return {
            "about": self.about,
            "level": self.level.value,
            "seen": self.seen,
            "sure": self.sure.value,
            "advice": self.advice,
        }


#: The columns of a table of findings.
COLUMNS = ("about", "level", "seen", "sure", "advice")


def unknown(about: str, why: str, advice: str = "") -> Finding:
    """Return a finding on what could not be told."""
    return Finding(about=about, seen=why, level=Level.NOTE, sure=Sure.UNKNOWN, advice=advice)


def refused(about: str, error: Exception, advice: str = "") -> Finding:
    """Return a finding on a read that the vendor did not answer."""
    return unknown(about, f"could not be read: {clean(error)}", advice)


def as_far_as_read(finding: Finding, unread: Sequence[str], advice: str) -> Finding:
    """
    Return a finding with what was not read. Where nothing was found in what was read, that leaves it open.

    :param unread: What was not read, a noun phrase each; empty if all was.
    :param advice: How to look at it.
    """
    if not unread:
        return finding
    rest = f"not read: {'; '.join(unread)}"
    if finding.level is not Level.OK:
        return replace(finding, seen=f"{finding.seen}; {rest}")
    seen = f"as far as was read, {finding.seen}; {rest}"
    return replace(finding, seen=seen, level=Level.NOTE, sure=Sure.UNKNOWN, advice=advice)


def named(labels: Iterable[str]) -> str:
    """Return the first few of some numbers or agents, and how many more there are."""
    found: Sequence[str] = list(labels)
    rest = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return ", ".join(found[:MOST_NAMED]) + rest


def counted(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun, such as ``1 number`` or ``1,000 numbers``."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
