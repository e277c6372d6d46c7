from __future__ import annotations

from unit.api.carrying import carry_out, clock, no_proxy_from_outside

__all__ = ["carry_out", "clock", "no_proxy_from_outside"]
