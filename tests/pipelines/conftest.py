from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipelines.instance import open_workplace


@pytest.fixture
def small_workplace(tmp_path: Path):
    """A town whose inbox is empty, with outputs and state of its own."""
    site = {
        "name": "small_town",
        "title": {"ko": "작은 마을", "en": "Small town"},
        "study_area": {"legal_dongs": ["4121010500"]},
    }
    file = tmp_path / "site.yaml"
    file.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
    (tmp_path / "inbox").mkdir()
    return open_workplace(file, tmp_path / "outputs", tmp_path / "state")
