"""What an answer shows beside its result: how long it took, and what its headers and its connection say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, kw_only=True)
class Observed:
    """One answer, as it arrived."""

    method: str
    path: str
    status: int
    #: From the first byte sent to the last one received, the connection's set-up included if it was new.
    seconds: float
    headers: Mapping[str, str]
    #: The body of a refusal, without secrets; empty for a success.
    refusal: bytes = b""
    #: Such as ``TLSv1.3``; None over plain HTTP.
    tls: str | None = None
    #: When the vendor's certificate ends, as it says itself; None if that was not checked.
    certificate_ends: str | None = None


Observe: TypeAlias = "Callable[[Observed], None]"
