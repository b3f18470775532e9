"""The site file's key ``fetch``: what is asked of the APIs for this town."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class FetchSpec(BaseModel):
    """Layers that are fetched, and filters that tell this town's records from its neighbours'."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    layers: tuple[str, ...] = ()
    """Empty: every layer that the inbox recognises."""
    filters: dict[str, str] = {}
    """V-World ``attrFilter`` by layer, such as ``LT_C_LHZONE: zonename:like:광명시흥``."""
