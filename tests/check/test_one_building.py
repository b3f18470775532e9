"""One building of the inbox changes: the night does what depends on it, and gives the bytes of a run from nothing."""

from __future__ import annotations

import json
import struct
import zipfile

import pyogrio
import pytest

from geodata.demo.shapefile import write_zip
from tests.small_town import SmallTown
from twin.publish.durable import remove_tree, sha256_of

pytestmark = pytest.mark.check

ONE_NIGHT_ALONE = {"manifest.json", "catalog.json"}
"""Files that name the release or its time."""
TWO_NIGHTS = ("changes", "tables/indicators_over_releases", "stac/")
"""Files that tell of the release before, and the entries of the catalogue that list them."""


def give_floors(path, source_id: str, floors: int) -> None:
    """Change one number in the table of a zipped shapefile; no other byte of it changes."""
    with zipfile.ZipFile(path) as archive:
        members = {entry.filename: bytearray(archive.read(entry)) for entry in archive.infolist()}
    changed = 0
    for table in (content for name, content in members.items() if name.endswith(".dbf")):
        rows, header, length = struct.unpack_from("<IHH", table, 4)
        fields, at = {}, 1
        for entry in range(32, header - 1, 32):
            name, width = table[entry : entry + 11].split(b"\0")[0].decode(), table[entry + 16]
            fields[name] = slice(at, at + width)
            at += width
        for start in range(header, header + rows * length, length):
            record = table[start : start + length]
            if record[fields["A1"]].decode("cp949").strip() == source_id:
                width = fields["A26"].stop - fields["A26"].start
                record[fields["A26"]] = str(floors).rjust(width).encode()
                table[start : start + length] = record
                changed += 1
    assert changed == 1
    write_zip(path, [(name, bytes(content)) for name, content in members.items()])


def files(town: SmallTown) -> dict[str, str]:
    latest = (town.workplace.releases / "latest").resolve()
    return {p.relative_to(latest).as_posix(): sha256_of(p) for p in sorted(latest.rglob("*")) if p.is_file()}


def test_a_changed_building_gives_the_bytes_of_a_run_from_nothing(planned_town, tmp_path):
    before = files(planned_town)
    latest = planned_town.workplace.releases / "latest"
    houses = pyogrio.read_dataframe(latest / "existing" / "twin.gpkg", layer="buildings")
    known = houses[(houses["height_source"] == "floors") & houses["source_id"].notna()]
    one = known[~known["source_id"].duplicated(keep=False)].sort_values("footprint_area_m2").iloc[-1]
    (parts,) = (planned_town.site_file.parent / "inbox").glob("AL_D010*.zip")
    give_floors(parts, one["source_id"], int(one["floors_above"]) + 3)

    assert planned_town.run() == 0, planned_town.words
    told = json.loads((planned_town.workplace.releases / "last_run.json").read_text(encoding="utf-8"))
    reused = {entry["asset"] for entry in told["assets"] if entry["reused"]}
    assert {"sources/parcels", "sources/terrain", "sources/resource", "sources/parks"} <= reused
    houses = pyogrio.read_dataframe(latest / "existing" / "twin.gpkg", layer="buildings").set_index("source_id")
    assert houses.loc[one["source_id"], "floors_above"] == one["floors_above"] + 3
    assert houses.loc[one["source_id"], "height"] > one["height"]

    cold = SmallTown(planned_town.site_file, tmp_path / "cold")
    cold.folder.mkdir()
    try:
        assert cold.run() == 0, cold.words
        told = json.loads((cold.workplace.releases / "last_run.json").read_text(encoding="utf-8"))
        assert told["reused"] == 0
        warm, bare = (
            {n: h for n, h in files(town).items() if n not in ONE_NIGHT_ALONE and not n.startswith(TWO_NIGHTS)}
            for town in (planned_town, cold)
        )
    finally:
        remove_tree(cold.folder)
    assert warm == bare
    for name in ("existing/twin.gpkg", "planned/twin.gpkg", "comparison.gpkg"):
        assert warm[name] != before[name], name
