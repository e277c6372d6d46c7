"""Types of what vendors send: values that are an empty text where there is none, and bounded lists."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias, TypeVar

from pydantic import AfterValidator, Field

T = TypeVar("T")


def _nothing(_: object) -> None:
    """Take an empty text for nothing."""


# Function validators would be called for every value; this one is only where there is an empty text.
_Empty: TypeAlias = Annotated[Literal[""], AfterValidator(_nothing)]

OptionalDate: TypeAlias = Annotated[datetime | _Empty | None, Field(union_mode="left_to_right")]
OptionalId: TypeAlias = Annotated[_Empty | str | None, Field(union_mode="left_to_right")]

#: A list that ends at its first bad item and is not endless: a report of a million bad items would take gigabytes.
BoundedList: TypeAlias = Annotated[list[T], Field(fail_fast=True, max_length=50_000)]
