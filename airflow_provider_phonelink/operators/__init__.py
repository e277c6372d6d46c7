"""Operators, one package for each vendor."""

from __future__ import annotations
