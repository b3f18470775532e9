"""`twin fetch` and what follows it, as a user meets them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import shapely

from geodata.inbox import take_inventory
from tests.geodata.fetch.conftest import DOMAIN, KEY

TWIN = Path(sys.executable).with_name("twin")
SITE = """
name: town
title: {ko: 시험, en: test}
study_area: {bbox: [190000, 540000, 190500, 540500], crs: EPSG:5186}
"""


def twin(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if k not in {"VWORLD_KEY", "VWORLD_DOMAIN", "DATA_GO_KR_KEY"}}
    return subprocess.run([str(TWIN), *words], capture_output=True, text=True, env=kept | environment, check=False)


def test_the_command_fetches_into_the_inbox_and_shows_no_key(api, tmp_path):
    (tmp_path / "site.yaml").write_text(SITE, encoding="utf-8")
    corners = np.arange(20) * 20.0 + 190_010
    shapes = shapely.box(corners, np.full(20, 540_010.0), corners + 19, np.full(20, 540_050.0))
    pnus = [f"41210105001{i + 1:04d}0000" for i in range(20)]
    api.have("LP_PA_CBND_BUBUN", shapes, [{"pnu": p, "jibun": "1 대", "bonbun": "1", "bubun": ""} for p in pnus])
    words = ("fetch", "--site", str(tmp_path / "site.yaml"), "--layers", "parcels", "--vworld-url", f"{api.url}/data")
    refused = twin(*words)
    assert refused.returncode == 1 and "VWORLD_KEY is not set" in refused.stderr
    done = twin(*words, VWORLD_KEY=KEY, VWORLD_DOMAIN=DOMAIN)
    assert done.returncode == 0, done.stderr
    assert "20 records" in done.stdout
    wrong = twin(*words, VWORLD_KEY=f"{KEY}-wrong", VWORLD_DOMAIN=DOMAIN)
    assert wrong.returncode == 1 and "INVALID_KEY" in wrong.stderr
    files = [p.read_text(encoding="utf-8") for p in tmp_path.rglob("*") if p.is_file()]
    assert not any(KEY in text for text in [done.stdout, done.stderr, wrong.stdout, wrong.stderr, *files])
    (dataset,) = take_inventory(tmp_path / "inbox").datasets
    assert (dataset.role, sum(part.rows for part in dataset.parts)) == ("parcels", 20)


def test_what_can_be_fetched_is_listed():
    done = twin("fetch", "--list")
    assert done.returncode == 0
    assert "LP_PA_CBND_BUBUN" in done.stdout and "건축물대장 표제부" in done.stdout
