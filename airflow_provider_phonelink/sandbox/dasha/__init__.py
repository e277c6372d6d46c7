"""The stand-in for Dasha BlackBox."""

from __future__ import annotations
