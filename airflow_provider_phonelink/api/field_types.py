"""
Field types of the vendors' answers.

Ids, values for which empty text means none, values that may be unreadable, and lists that stop at a bad item.
"""

from __future__ import annotations

import logging
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from pydantic import AfterValidator, Field, PlainValidator, StringConstraints, ValidationInfo

from airflow_provider_phonelink.api.uuids import PATTERN as UUID_PATTERN

T = TypeVar("T")

_log = logging.getLogger(__name__)

#: What an unreadable value is until its model has noted which field it was, and set that to None.
UNREADABLE: Any = object()


def _nothing(_: object) -> None:
    """Read empty text as None."""


@lru_cache(maxsize=256)
def _warn_once(field: str) -> None:
    _log.warning("The vendor's field %s cannot be read, and counts as not sent.", field)


def _unreadable(value: object, info: ValidationInfo) -> Any:
    if value == "":
        return None
    _warn_once(info.field_name or "value")
    return UNREADABLE


# A function validator would be called for every value; this one is called only for empty text.
_Empty: TypeAlias = Annotated[Literal[""], AfterValidator(_nothing)]

OptionalDate: TypeAlias = Annotated[datetime | _Empty | None, Field(union_mode="left_to_right")]
# A uuid is the same in either case, so that it is compared in one: lower case. Other ids are as the vendor writes them.
_Uuid: TypeAlias = Annotated[str, StringConstraints(pattern=UUID_PATTERN, to_lower=True)]
Id: TypeAlias = Annotated[_Uuid | str, Field(union_mode="left_to_right")]
OptionalId: TypeAlias = Annotated[_Empty | _Uuid | str | None, Field(union_mode="left_to_right")]

#: None if it cannot be read, so that it costs nobody the rest of the answer; its model's `unreadable` names it then.
OrNone: TypeAlias = Annotated[
    T | Annotated[None, PlainValidator(_unreadable)] | None, Field(union_mode="left_to_right")
]

#: A list that ends at its first bad item and is not endless: a report of a million bad items would take gigabytes.
BoundedList: TypeAlias = Annotated[list[T], Field(fail_fast=True, max_length=50_000)]
