"""Every YAML file that ships says the same whichever of the two parsers reads it."""

from __future__ import annotations

import pytest
import yaml

from geodata.shipped_yaml import shipped_yaml


def test_both_parsers_agree_on_all_shipped_files(root):
    files = [path for room in ("geodata", "twin") for path in sorted((root / room).rglob("*.yaml"))]
    assert len(files) > 30
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert repr(shipped_yaml(text)) == repr(yaml.safe_load(text)), path


def test_nothing_but_data_is_made():
    with pytest.raises(yaml.YAMLError):
        shipped_yaml("!!python/object/apply:os.getcwd []")
