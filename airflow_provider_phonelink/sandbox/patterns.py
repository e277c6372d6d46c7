"""What to look for in a path. It is no regular expression, since one that backtracks could block the sandbox."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 500
MOST_WAYS = 100


class PathPattern:
    """
    A piece of a path.

    `^` and `$` bind it to the path's ends, `*` (or `.*`) stands for anything, `(this|that)` for one of several texts,
    and a backslash takes its meaning from the character that follows.

    :param text: the pattern.
    """

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise ValueError(f"`path` is longer than {LONGEST} characters")
        signs = re.findall(r"\\.|\.\*|.", text, re.DOTALL)
        if strange := set(signs) & set("[]{}+?\\"):
            raise ValueError(f"`path` is no regular expression, and cannot have {' '.join(sorted(strange))}")
        self._ways = [_Way.of(way) for way in _ways(signs)]

    def search(self, path: str) -> bool:
        """Return whether a path has what is looked for."""
        return any(way.found_in(path) for way in self._ways)


@dataclass(frozen=True)
class _Way:
    """One text that a pattern stands for: pieces that follow each other, with anything between them."""

    pieces: list[str]
    from_start: bool
    to_end: bool

    @classmethod
    def of(cls, signs: list[str]) -> _Way:
        from_start, to_end = signs[:1] == ["^"], signs[-1:] == ["$"]
        pieces = [""]
        for sign in signs[from_start : len(signs) - to_end]:
            if sign in ("*", ".*"):
                pieces.append("")
            else:
                pieces[-1] += sign[-1]
        return cls(pieces, from_start, to_end)

    def found_in(self, path: str) -> bool:
        end = 0
        for place, piece in enumerate(self.pieces):
            first, last = place == 0 and self.from_start, place == len(self.pieces) - 1 and self.to_end
            at = path.find(piece, max(end, len(path) - len(piece)) if last else end)
            # The first of the places where a piece is leaves the most room for those that follow.
            if at < end or (first and at != 0):
                return False
            end = at + len(piece)
        return True


def _ways(signs: list[str]) -> list[list[str]]:
    """Write out the alternatives."""
    finished: list[list[str]] = []
    ways: list[list[str]] = [[]]
    rest = iter(signs)
    for sign in rest:
        if sign == "|":
            finished, ways = finished + ways, [[]]
        elif sign == "(":
            choices = _ways(_group(rest))
            ways = [way + choice for way in ways for choice in choices]
        elif sign == ")":
            raise ValueError("`path` has a bracket that nothing opens")
        else:
            ways = [[*way, sign] for way in ways]
        if len(finished) + len(ways) > MOST_WAYS:
            raise ValueError(f"`path` stands for more than {MOST_WAYS} texts")
    return finished + ways


def _group(rest: Iterator[str]) -> list[str]:
    """Take what stands in brackets off the signs that follow the first bracket."""
    group: list[str] = []
    for sign in rest:
        if sign == ")":
            return group
        if sign == "(":
            break
        group.append(sign)
    raise ValueError("`path` has a bracket that nothing closes, or one within another")
