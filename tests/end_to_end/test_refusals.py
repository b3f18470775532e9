"""Bad nights: each refusal says what, where and what to do, and the last release is untouched."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from pipelines.assets.release import MixedObjectsError, publish
from pipelines.store import Store


def fingerprint(outputs: Path) -> dict[str, str]:
    """Everything a planner can see of the releases; the record of the last run is meant to change."""
    found = {}
    for path in sorted(outputs.rglob("*")):
        name = str(path.relative_to(outputs))
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_file() and path.name not in ("last_run.json", ".lock"):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def misspelt_key(site: Path) -> None:
    site.write_text(site.read_text(encoding="utf-8").replace("surface:", "surfce:"), encoding="utf-8")


def missing_inbox(site: Path) -> None:
    shutil.rmtree(site.parent / "inbox")


def empty_inbox(site: Path) -> None:
    shutil.rmtree(site.parent / "inbox")
    (site.parent / "inbox").mkdir()


def truncated_zip(site: Path) -> None:
    path = next((site.parent / "inbox").glob("AL_D010*.zip"))
    path.write_bytes(path.read_bytes()[:-5000])


def short_weather_year(site: Path) -> None:
    path = next((site.parent / "inbox").glob("*.epw"))
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == 8768
    path.write_bytes(b"".join(lines[:-1]))


def layer_without_crs(site: Path) -> None:
    path = next((site.parent / "inbox").glob("UPIS*.zip"))
    with zipfile.ZipFile(path) as archive:
        members = {i.filename: archive.read(i) for i in archive.infolist() if not i.filename.lower().endswith(".prj")}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


REFUSALS = {
    misspelt_key: ["surfce", "did you mean 'surface'", "site.yaml"],
    missing_inbox: ["inbox", "does not exist", "site file"],
    empty_inbox: ["inbox", "empty", "twin demo"],
    truncated_zip: ["AL_D010", "다시", "again"],
    short_weather_year: ["8,759", "8,760", "epw"],
    layer_without_crs: ["UPIS_C_UQ153", ".prj", "crs"],
}


@pytest.mark.parametrize("spoil", REFUSALS, ids=lambda f: f.__name__)
def test_a_bad_night_says_why_and_leaves_the_last_release(own_small, twin, spoil):
    site_file, folder = own_small
    before = fingerprint(folder / "outputs")
    spoil(site_file)
    done = twin("run", "--site", site_file, "--outputs", folder / "outputs", "--state", folder / "state")
    assert done.returncode == 1, done.stdout + done.stderr
    for word in REFUSALS[spoil]:
        assert word in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert fingerprint(folder / "outputs") == before


def test_the_last_run_is_told_in_words(own_small, run_site):
    site_file, folder = own_small
    short_weather_year(site_file)
    run = run_site(site_file, folder)
    told = json.loads((run.workplace.releases / "last_run.json").read_text(encoding="utf-8"))
    assert told["succeeded"] is False
    assert any("8,759" in reason for reason in told["reasons"])


def test_a_healed_inbox_publishes_again(own_small, run_site):
    site_file, folder = own_small
    path = next((site_file.parent / "inbox").glob("AL_D010*.zip"))
    whole = path.read_bytes()
    truncated_zip(site_file)
    assert not run_site(site_file, folder).outcome.succeeded
    path.write_bytes(whole)
    run = run_site(site_file, folder)
    assert run.outcome.succeeded, run.outcome.reasons
    assert run.outcome.release["published"] is False


def test_a_check_that_refuses_blocks_the_night_and_the_lone_publish(own_small, run_site, monkeypatch):
    site_file, folder = own_small
    before = fingerprint(folder / "outputs")
    changed = site_file.read_text(encoding="utf-8").replace("value: 1327.0", "value: 1300")
    # one scenario is enough, and its assets are built one by one below
    site_file.write_text(
        yaml.safe_dump(yaml.safe_load(changed) | {"scenarios": ["existing"]}, allow_unicode=True), encoding="utf-8"
    )
    monkeypatch.setattr(
        "pipelines.checks.solar_problems", lambda roofs, resource: ["roofs: 3 yield more than the sun brings"]
    )
    night = run_site(site_file, folder)
    assert not night.outcome.succeeded
    assert any("more than the sun brings" in reason for reason in night.outcome.reasons), night.outcome.reasons
    assert fingerprint(folder / "outputs") == before
    # the check stopped what comes after it, so there is no GeoPackage of this night; build it past the check
    past = run_site(site_file, folder, select="key:existing/roofs+ and not key:release")
    assert not past.outcome.succeeded
    past = "key:existing/roofs+ and not key:existing/roofs and not key:release"
    assert run_site(site_file, folder, select=past).outcome.succeeded
    lone = run_site(site_file, folder, select="key:release")
    assert not lone.outcome.succeeded
    assert any("more than the sun brings" in reason for reason in lone.outcome.reasons), lone.outcome.reasons
    assert fingerprint(folder / "outputs") == before


def test_publishing_alone_after_something_changed_upstream_is_refused(own_small, run_site):
    """The gate cannot be walked round by materialising the release, or one layer, alone."""
    site_file, folder = own_small
    before = fingerprint(folder / "outputs")
    site_file.write_text(
        site_file.read_text(encoding="utf-8").replace("value: 1327.0", "value: 1151"), encoding="utf-8"
    )
    alone = run_site(site_file, folder, select="sources/resource")
    assert alone.outcome.succeeded, alone.outcome.reasons
    store = Store(alone.workplace.store)
    run = run_site(site_file, folder, select="key:existing/roof_yields or key:existing/geopackage or key:release")
    assert not run.outcome.succeeded
    assert any("re-materialised alone" in reason for reason in run.outcome.reasons), run.outcome.reasons
    assert fingerprint(folder / "outputs") == before
    with pytest.raises(MixedObjectsError):
        publish(alone.workplace, store, now=datetime.now(UTC))


def test_a_full_disk_at_publish_leaves_the_last_release(own_small, twin, tmp_path):
    """A real file system of one megabyte, filled by the release itself."""
    site_file, folder = own_small
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(small)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small file system cannot be mounted here (needs root), so a full disk was not tried")
    try:
        done = twin("run", "--site", site_file, "--outputs", small, "--state", folder / "state")
        assert done.returncode == 1, done.stdout
        assert "Traceback" not in done.stderr
        for word in (str(small), "full"):
            assert word in done.stderr, done.stderr
        assert not list(small.rglob("twin.gpkg"))
        assert not (small / "demo_town" / "latest").exists()
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert os.path.ismount(small) is False
