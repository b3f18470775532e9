"""YAML that ships beside the code, read by libyaml's parser where PyYAML was built with it: ten times as fast, the same result."""

from __future__ import annotations

from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def shipped_yaml(text: str) -> Any:
    """Return what ``text`` says."""
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 - both loaders are safe ones
