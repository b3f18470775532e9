"""Running again: nothing is done twice, only what depends on a change is done, and equal inputs give equal bytes."""

from __future__ import annotations

import hashlib
import json
import shutil

import pyogrio

from pipelines.status import asset_states


def test_the_same_again_builds_and_publishes_nothing(own_small, run_site):
    site_file, folder = own_small
    # a copied town lies elsewhere but is the same town
    run = run_site(site_file, folder)
    assert run.outcome.succeeded, run.outcome.reasons
    assert run.outcome.built == 0
    assert run.outcome.release["published"] is False
    assert len(list((run.workplace.releases / "releases").iterdir())) == 1


def test_two_empty_output_folders_give_the_same_bytes(small, tmp_path, run_site):
    shutil.copytree(small.workplace.site_file.parent, tmp_path / "elsewhere")
    run = run_site(tmp_path / "elsewhere" / "site.yaml", tmp_path / "place")
    assert run.outcome.succeeded, run.outcome.reasons
    assert run.outcome.reused == 0
    digests = [hashlib.sha256(each.geopackage.read_bytes()).hexdigest() for each in (small, run)]
    assert digests[0] == digests[1]


def test_a_removed_source_rebuilds_what_depends_on_it_and_says_what_is_missing(own_small, run_site, twin):
    site_file, folder = own_small
    (site_file.parent / "inbox" / "UPIS_C_UQ153.zip").unlink()
    seen = {}

    def note(progress):
        # what the night built that was stopped, the second run takes from the store
        seen[progress.asset] = seen.get(progress.asset, True) and progress.reused

    # a whole layer vanishes: that is not published until somebody says that it is right
    night = run_site(site_file, folder, on_progress=note)
    assert not night.outcome.succeeded
    assert any("existing.parks.rows" in reason for reason in night.outcome.reasons), night.outcome.reasons
    assert len(list((night.workplace.releases / "releases").iterdir())) == 1
    place = ("--site", site_file, "--outputs", folder / "outputs", "--state", folder / "state")
    told = json.loads((night.workplace.releases / "drift.json").read_text(encoding="utf-8"))
    assert all(f"{entry['name']}:" in "".join(night.outcome.reasons) for entry in told["found"])
    for entry in told["found"]:
        done = twin("acknowledge", entry["name"], "--reason", "the parks file is withdrawn", *place)
        assert done.returncode == 0, done.stderr
    run = run_site(site_file, folder, on_progress=note)
    assert run.outcome.succeeded, run.outcome.reasons
    manifest = json.loads((run.latest / "manifest.json").read_text(encoding="utf-8"))
    assert {entry["reason"] for entry in manifest["acknowledged"]} == {"the parks file is withdrawn"}
    # the plan has parks of its own blocks besides; what it builds again is not looked at here
    built = {asset for asset, reused in seen.items() if not reused and not asset.startswith("planned/")}
    # clean parcels and buildings, land cover, terrain and sun are untouched; what people walk to has changed
    assert built == {
        "sources/parks", "sources/park_entrances", "existing/parks", "existing/quality", "existing/run_info", "existing/districts", "existing/geopackage", "existing/geoparquet", "existing/map", "release",
        "existing/park_access", "existing/buildings", "existing/parcels", "existing/unserved_buildings", "existing/report",
        "existing/carbon_path", "existing/city3d", "existing/shortlist", "existing/heat", "comparison", "web",
    }  # fmt: skip
    assert any("parks" in line for line in run.outcome.release["summary"])
    assert "parks" not in {name for name, _ in pyogrio.list_layers(run.geopackage)}
    assert len(list((run.workplace.releases / "releases").iterdir())) == 2


def test_status_tells_fresh_and_stale_in_words(own_small, run_site):
    site_file, folder = own_small
    run = run_site(site_file, folder)
    # a source that the demo has no file for is absent, and knows why
    assert all(word == "fresh" or (word == "absent" and why) for _, word, why in asset_states(run.workplace))
    (site_file.parent / "inbox" / "UPIS_C_UQ153.zip").unlink()
    states = {asset: (word, why) for asset, word, why in asset_states(run.workplace)}
    assert states["sources/inventory"] == ("stale", "files in the inbox have changed")


def test_an_altered_release_is_named_and_published_anew(own_small, run_site):
    site_file, folder = own_small
    first = run_site(site_file, folder)
    altered = first.geopackage.resolve()
    altered.chmod(0o644)
    with altered.open("r+b") as stream:
        stream.seek(5000)
        stream.write(b"edited")
    run = run_site(site_file, folder)
    assert run.outcome.succeeded, run.outcome.reasons
    assert run.outcome.release["published"]
    assert "altered" in run.outcome.release["reason"]
    assert run.geopackage.resolve() != altered
