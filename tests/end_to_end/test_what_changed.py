"""One building made higher in the inbox: the next release names it, with the old and the new height."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pyogrio
import pytest

HEIGHT = b"A16"


def raise_first_building(archive: Path, by_m: float) -> tuple[float, float]:
    """Add ``by_m`` to the first recorded height of a zipped AL_D010, byte by byte; return old and new height."""
    with zipfile.ZipFile(archive) as packed:
        held = {name: packed.read(name) for name in packed.namelist()}
    name = min(n for n in held if n.endswith(".dbf") and "(" not in n)
    table = bytearray(held[name])
    (header,) = struct.unpack_from("<H", table, 8)
    place, width = header + 1, 0
    for start in range(32, header - 1, 32):
        field, width = bytes(table[start : start + 11]).rstrip(b"\0"), table[start + 16]
        if field == HEIGHT:
            break
        place += width
    (count,) = struct.unpack_from("<I", table, 4)
    (length,) = struct.unpack_from("<H", table, 10)
    starts = (place + length * number for number in range(count))
    start = next(at for at in starts if float(table[at : at + width] or 0) > 0)
    old = float(table[start : start + width])
    table[start : start + width] = f"{old + by_m:.2f}".rjust(width).encode("ascii")
    held[name] = bytes(table)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for part, content in held.items():
            packed.writestr(part, content)
    return old, old + by_m


@pytest.mark.check
def test_a_building_made_higher_is_named_with_both_heights(own_town, run_site, twin, tmp_path):
    site_file, folder = own_town
    (archive,) = (site_file.parent / "inbox").glob("AL_D010*.zip")
    old, new = raise_first_building(archive, 10.0)
    run = run_site(site_file, folder)
    assert run.outcome.succeeded, run.outcome.reasons
    values = pyogrio.read_dataframe(run.latest / "changes.gpkg", layer="changed_values")
    heights = values[
        (values["layer"] == "buildings") & (values["field"] == "height") & (values["scenario"] == "existing")
    ]
    # a height guessed from neighbours may follow; the recorded one is told exactly
    assert [f"{old:.2f}", f"{new:.2f}", 10.0] in heights[["old_value", "new_value", "difference"]].to_numpy().tolist()
    layers = pyogrio.read_dataframe(run.latest / "changes.gpkg", layer="changed_layers").set_index(
        ["scenario", "layer"]
    )
    assert layers.loc[("existing", "parcels"), ["added", "removed"]].tolist() == [0, 0]
    assert f"{new:.2f}" in (run.latest / "changes.html").read_text(encoding="utf-8")
    told = twin("diff", "--site", site_file, "--outputs", folder / "outputs", "--out", tmp_path / "diff.gpkg")
    assert told.returncode == 0, told.stderr
    assert "existing/buildings.height" in told.stdout
    # the same two releases give the same tables, whenever they are compared
    again = pyogrio.read_dataframe(tmp_path / "diff.gpkg", layer="changed_values")
    assert again.equals(values)
