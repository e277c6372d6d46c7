"""Bring phone numbers that are written in different ways into one form, so that they can be compared."""

from __future__ import annotations

import phonenumbers

_SCHEMES = ("sip:", "sips:", "tel:")


def e164(text: str) -> str | None:
    """
    Return a phone number in E.164 (``+`` and digits); None if the text does not say for certain which it is.

    The text has to name the country: ``+15550100001``, ``0015550100001`` or ``15550100001``, with whatever
    separators, also in a SIP or tel address. Numbers with an extension are not comparable.
    """
    international = _international(text)
    if international is None:
        return None
    try:
        number = phonenumbers.parse(international)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def last_digits(text: str, count: int = 4) -> str:
    """Return the digits that a text ends with: the same for all ways to write a phone number."""
    return phonenumbers.normalize_digits_only(_bare(text))[-count:]


def _bare(text: str) -> str:
    text = text.strip()
    scheme = next((scheme for scheme in _SCHEMES if text.lower().startswith(scheme)), "")
    return text[len(scheme) :].partition("@")[0].partition(";")[0].strip()


def _international(text: str) -> str | None:
    text = _bare(text)
    if any(character.isalpha() for character in text):
        return None
    if text.startswith("+"):
        return text
    return f"+{text.removeprefix('00')}"
