"""The limit on how many changes a run may make."""

from __future__ import annotations

import re
from dataclasses import dataclass

from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.api.text import as_text, shown

_FORM = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(\s*%)?")


@dataclass(frozen=True)
class MaxChanges:
    """A number of changes, or a percentage of the links in scope before the run, that may be lost."""

    amount: float
    is_percentage: bool

    def is_exceeded(self, changes: int, links: int) -> bool:
        """Return whether there are too many changes, or links that are lost, of so many links."""
        return changes * 100 > self.amount * links if self.is_percentage else changes > self.amount

    def __str__(self) -> str:
        return f"{self.amount:g}{'%' if self.is_percentage else ''}"


def parse_max_changes(value: object, argument: str = "max_changes") -> MaxChanges | None:
    """
    Parse a limit.

    :param argument: The name of the argument, for messages.
    :param value: None, a count such as 20 or ``"20"``, or a percentage from ``"0%"`` to ``"100%"``.
    :raises InvalidArgumentError: If it is anything else.
    """
    if value is None:
        return None
    form = _FORM.fullmatch(as_text(value).strip())
    if form is None or isinstance(value, (bool, float)):
        raise _unusable(argument, value)
    amount, is_percentage = float(form[1]), form[2] is not None
    if amount > 100 if is_percentage else not amount.is_integer():
        raise _unusable(argument, value)
    return MaxChanges(amount, is_percentage)


def _unusable(argument: str, value: object) -> InvalidArgumentError:
    return InvalidArgumentError(
        argument,
        f"{shown(value)} is neither a count such as 20 nor a percentage from 0% to 100%, such as '10%'.",
    )
