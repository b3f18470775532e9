"""What a reader of a plan's `run_info` should know: what it clears, and what of it stands already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_CHANGES = (("forest_felled_m2", "forest felled", "m2"), ("ground_changed_m2", "ground changed by the plan", "m2"))


def plan_notes(blocks: Mapping[str, Any], buildings: Mapping[str, Any], cover: Mapping[str, Any]) -> dict[str, str]:
    """Return notes for `run_info` from the metadata of the scenario's blocks, buildings and land cover."""
    notes = {f"plan blocks: {kind}": f"{count:,}" for kind, count in blocks.get("blocks", {}).items()}
    if "demolished" in buildings:
        notes["buildings demolished by the plan"] = f"{buildings['demolished']:,}"
    notes |= {words: f"{cover[name]:,.1f} {unit}" for name, words, unit in _CHANGES if name in cover}
    return notes
