"""How a rule says no: a status and a sentence, which each vendor's routes put into that vendor's error body."""

from __future__ import annotations


class Refused(Exception):  # noqa: N818 - it reads as what happened, and never leaves the sandbox
    """
    A request that breaks one of the vendor's rules.

    :param status: the HTTP status the vendor answers with.
    :param detail: what is wrong, for a person.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
