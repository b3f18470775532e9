"""The files of the web page that are the same for every town, and what tells them which town it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import files as files_of
from importlib.resources import files
from pathlib import Path

from twin.publish.about import ReleaseAbout

OWN = ("index.html", "viewer.css", "viewer.js", "card.js", "words.js", "maplibre-gl.LICENSE.txt")
LIBRARY = ("maplibre-gl.js", "maplibre-gl.css")
"""MapLibre GL JS, as the wheel ``maplibre`` carries it. The wheel's own code is never run."""


def write_page(folder: Path, about: ReleaseAbout, scenarios: Sequence[str]) -> None:
    """Write page, map library and ``data/scenarios.js`` into ``folder``, which exists.

    Raises
    ------
    FileNotFoundError
        If the installed wheel ``maplibre`` holds no map library.
    """
    for name in OWN:
        (folder / name).write_bytes(files(__package__).joinpath(name).read_bytes())
    carried = {path.name: path for path in files_of("maplibre") or () if path.parent.name == "srcjs"}
    for name in LIBRARY:
        if name not in carried:
            raise FileNotFoundError(f"the package maplibre holds no {name}; install what requirements/lock.txt names")
        (folder / name).write_bytes(Path(str(carried[name].locate())).read_bytes())
    told = {
        "title": {"ko": about.title_ko, "en": about.title_en},
        "demo": about.demo,
        "unshaded": about.unshaded,
        "vintage": about.timestamp,
        "scenarios": list(scenarios),
    }
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "scenarios.js").write_text(f"TWIN.about({script_text(told)});\n", encoding="utf-8")


def script_text(value: object) -> str:
    """Return ``value`` as a script reads it; nothing in it can end the script or start a tag."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
