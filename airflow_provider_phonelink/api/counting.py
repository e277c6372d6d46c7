"""What may be counted of the requests of a client; nothing is counted unless somebody asks for it."""

from __future__ import annotations

from typing import Protocol


class Counts(Protocol):
    """Told of each request of a client. May be called from several threads."""

    def answered(self, method: str, status: int | None) -> None:
        """
        Note a request that ended.

        :param status: The HTTP status; None if no answer arrived.
        """

    def retried(self) -> None:
        """Note that a failed request is tried again."""

    def held_back(self, seconds: float) -> None:
        """Note that requests waited for a rate limit: the connection's own, or the vendor's after a 429."""


class NoCounts:
    """Counts nothing."""

    def answered(self, method: str, status: int | None) -> None:
        """Do nothing."""

    def retried(self) -> None:
        """Do nothing."""

    def held_back(self, seconds: float) -> None:
        """Do nothing."""
