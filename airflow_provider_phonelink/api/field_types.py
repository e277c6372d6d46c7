"""Field types of the vendors' answers: values for which empty text means none, and lists that stop at a bad item."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias, TypeVar

from pydantic import AfterValidator, Field

T = TypeVar("T")


def _nothing(_: object) -> None:
    """Read empty text as None."""


# A function validator would be called for every value; this one is called only for empty text.
_Empty: TypeAlias = Annotated[Literal[""], AfterValidator(_nothing)]

OptionalDate: TypeAlias = Annotated[datetime | _Empty | None, Field(union_mode="left_to_right")]
OptionalId: TypeAlias = Annotated[_Empty | str | None, Field(union_mode="left_to_right")]

#: A list that ends at its first bad item and is not endless: a report of a million bad items would take gigabytes.
BoundedList: TypeAlias = Annotated[list[T], Field(fail_fast=True, max_length=50_000)]
