from __future__ import annotations

import importlib
import os
import subprocess
import sys
import textwrap

import pytest

from pipelines import code_version as module


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A small house with the same rooms, so that its sources can be changed."""
    for room, name, text in (
        ("geodata_x", "deep.py", "VALUE = 1\n"),
        ("geodata_x", "shallow.py", "from geodata_x.deep import VALUE\n\ndef work():\n    return VALUE\n"),
        ("geodata_x", "other.py", "def idle():\n    return 0\n"),
        ("geodata_x", "numbers.yaml", "a: 1\n"),
        ("geodata_x", "page.html", "<p>a</p>\n"),
        (
            "pipelines_x",
            "steps.py",
            "from geodata_x.shallow import work\nfrom geodata_x.other import idle\n\ndef step():\n    return work()\n",
        ),
    ):
        folder = tmp_path / room
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").touch()
        (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(module, "ROOMS", ("geodata_x",))
    yield tmp_path
    for name in [n for n in sys.modules if n.startswith(("geodata_x", "pipelines_x"))]:
        del sys.modules[name]


def version_after(project, file: str | None = None, text: str = "") -> str:
    if file is not None:
        (project / file).write_text(text, encoding="utf-8")
    for cached in (module._closure, module._imports, module._file_hash, module._origin, module._imported_names):
        cached.cache_clear()
    for name in [n for n in sys.modules if n.startswith(("geodata_x", "pipelines_x"))]:
        del sys.modules[name]
    importlib.invalidate_caches()
    return module.code_version(importlib.import_module("pipelines_x.steps").step)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("geodata_x/deep.py", "VALUE = 2\n"),
        ("geodata_x/numbers.yaml", "a: 2\n"),
        ("geodata_x/page.html", "<p>b</p>\n"),
        ("pipelines_x/steps.py", "from geodata_x.shallow import work\n\ndef step():\n    return work() + 1\n"),
    ],
)
def test_a_change_that_can_reach_the_step_changes_its_version(project, file, text):
    assert version_after(project) != version_after(project, file, text)


def test_a_module_that_the_step_does_not_use_changes_nothing(project):
    assert version_after(project) == version_after(project, "geodata_x/other.py", "def idle():\n    return 1\n")


def test_versions_are_the_same_in_every_process():
    """Sets are ordered by Python's hash seed, which each process draws anew; a night must not build again for that."""
    words = (
        "from pipelines.assets.release import publish\n"
        "from pipelines.code_version import code_version\n"
        "from pipelines.definitions import SCENARIO_STEPS, SOURCE_STEPS\n"
        "print([code_version(f) for f in (publish, *(s.run for s in (*SOURCE_STEPS, *SCENARIO_STEPS)))])\n"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", words], env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert len(told) == 1
