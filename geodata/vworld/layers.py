"""Which layers are fetched from V-World, and what each is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from geodata.shipped_yaml import shipped_yaml
from geodata.site import Role


@dataclass(frozen=True)
class VWorldLayer:
    """One layer of the Data API; ``name`` is what the API calls it."""

    name: str
    role: Role
    ko: str
    en: str
    key: str
    """Property that names a record which has no feature id; '' where none is known."""


def vworld_layers() -> Mapping[str, VWorldLayer]:
    """Return all layers by name, in the order in which they are fetched."""
    text = files("geodata.vworld").joinpath("layers.yaml").read_text(encoding="utf-8")
    return {name: VWorldLayer(name=name, **words) for name, words in shipped_yaml(text).items()}
