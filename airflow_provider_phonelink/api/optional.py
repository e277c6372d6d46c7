"""Values that vendors write as an empty text where there is none."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field


def _nothing(_: object) -> None:
    """Take an empty text for nothing."""


# Function validators would be called for every value; this one is only where there is an empty text.
_Empty: TypeAlias = Annotated[Literal[""], AfterValidator(_nothing)]

OptionalDate: TypeAlias = Annotated[datetime | _Empty | None, Field(union_mode="left_to_right")]
OptionalId: TypeAlias = Annotated[_Empty | str | None, Field(union_mode="left_to_right")]
