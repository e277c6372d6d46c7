"""The stand-in for CallingBox."""

from __future__ import annotations
