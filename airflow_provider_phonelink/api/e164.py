"""Bring phone numbers that are written in different ways into one form, so that they can be compared."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

_SCHEMES = ("sip:", "sips:", "tel:")
#: What people put between digits to make a number readable, beside blanks and dashes of all kinds.
_SEPARATORS = re.compile(r"[().\[\]/~]")
#: E.164 allows 15 digits; no number that can be dialled from abroad has fewer than 7, its country code included.
_GLOBAL_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
#: The trunk prefix, as in +44 (0)20, is not dialled from abroad.
_TRUNK_PREFIX = re.compile(r"(?:\+|00|\(\+|)([1-9][0-9]{0,2})\)?[\s-]*\(0\)")
_ANY_TRUNK_PREFIX = re.compile(r"\(\s*0\s*\)")
#: The last digits of a second number, as in 100003/4.
_BEFORE_SECOND = re.compile(r"[/~]")
_SECOND_NUMBER = re.compile(r"\s*[0-9]{1,2}\s*")
#: Country codes after which a number may keep that zero abroad, so that "(0)" leaves open what to dial.
_KEEPS_ZERO = frozenset({"39", "225", "241", "242", "378", "379"})
_DIGITS = re.compile(r"[0-9]+")
#: What can be dialled, a star or hash included; shorter than an extension or longer than any number is something else.
_DIALABLE = re.compile(r"\+?[0-9*#]{2,20}")
#: What may follow a number after a semicolon, such as ``ext=5``; a second number may not.
_PARAMETER = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*\s*=.*|npdi\s*)", re.DOTALL | re.IGNORECASE)
#: The user of a SIP address, with a host or without one, as far as people use it.
_SIP_USER = re.compile(
    r"[A-Za-z0-9_+*#](?:[A-Za-z0-9_.~!$&'()=*#-]|%[0-9A-Fa-f]{2})*(?:;[A-Za-z0-9-]+=[^\s;,|]*)*(?:@[A-Za-z0-9.:\[\]-]+)?"
)


def e164(text: str) -> str | None:
    """
    Return a phone number in E.164 (``+`` and digits); None if the text does not say for certain which it is.

    The text has to name the country: ``+15550100001``, ``0015550100001`` or ``15550100001``, with whatever
    separators, also in a SIP or tel address (RFC 3966), whose ``phone-context`` is understood if it is the
    beginning of a number. A number with an extension is not its main number and cannot be compared.

    Two texts name the same number if their digits are the same. No table of countries is asked: such tables
    change, and numbers that are equal by one edition are not by the next (``+521...`` and ``+52...``).
    """
    number, parameters = _parts(unicodedata.normalize("NFKC", text).strip())
    if parameters:
        return _in_context(number, parameters)
    digits = _dialled(number)
    if digits is None:
        return None
    return _valid(digits if digits.startswith("+") else f"+{digits.removeprefix('00')}")


def is_dialable(text: str) -> bool:
    """Return whether a text has the form of a phone number, in whatever notation, or of a SIP or tel address."""
    text = unicodedata.normalize("NFKC", text).strip()
    if text.lower().startswith(_SCHEMES):
        return True
    number, parameters = _parts(text)
    return (
        _DIALABLE.fullmatch(_without_separators(number)) is not None
        and not _ends_in_second(number)
        and all(map(_PARAMETER.fullmatch, parameters))
    )


def is_sip_user(text: str) -> bool:
    """Return whether a text can be the user of a SIP address, such as ``reception`` or ``alice@sip.example.com``."""
    return _SIP_USER.fullmatch(text) is not None


def same_number(first: str, second: str) -> bool:
    """Return whether two texts certainly name the same number, in whatever notation."""
    return first == second or (e164(first) is not None and e164(first) == e164(second))


def _parts(text: str) -> tuple[str, list[str]]:
    """Return the number in a text and its parameters, such as an extension; what follows a host is about the host."""
    scheme = next((scheme for scheme in _SCHEMES if text.lower().startswith(scheme)), "")
    number, *parameters = text[len(scheme) :].partition("@")[0].split(";")
    return (unquote(number) if scheme else number), parameters


def _in_context(number: str, parameters: list[str]) -> str | None:
    """Return a local number in E.164, if all that its parameters say is which numbers it is local to."""
    if len(parameters) != 1:
        return None
    name, _, context = parameters[0].partition("=")
    before, local = _dialled(unquote(context)), _dialled(number)
    if name.strip().lower() != "phone-context" or not before or not before.startswith("+") or not local:
        return None
    # How a number that begins with + or a trunk prefix continues another one is defined nowhere.
    return None if local.startswith(("+", "0")) else _valid(before + local)


def _dialled(text: str) -> str | None:
    """Return the digits of a text, with the + it begins with; None if there is more to it than separators."""
    text = text.strip()
    trunk = _TRUNK_PREFIX.match(text)
    if trunk and trunk[1] not in _KEEPS_ZERO:
        text = f"+{trunk[1]}{text[trunk.end() :]}"
    if _ANY_TRUNK_PREFIX.search(text) or _ends_in_second(text):
        return None
    kept = _without_separators(text)
    return kept if _DIGITS.fullmatch(kept.removeprefix("+")) else None


def _ends_in_second(text: str) -> bool:
    """Return whether a second number follows of which only the last digits are written: not where / groups digits."""
    _, *rest = _BEFORE_SECOND.split(text)
    return len(rest) == 1 and _SECOND_NUMBER.fullmatch(rest[0]) is not None


def _without_separators(text: str) -> str:
    return "".join(_digit(character) for character in _SEPARATORS.sub("", text) if not _separates(character))


def _digit(character: str) -> str:
    """Return a digit of any script as 0 to 9, and anything else as it is."""
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)


def _separates(character: str) -> bool:
    """Return whether it is a blank, a dash or invisible."""
    return unicodedata.category(character) in ("Zs", "Pd", "Cf") or character in "\t\u2212"


def _valid(number: str) -> str | None:
    return number if _GLOBAL_NUMBER.fullmatch(number) else None
