from __future__ import annotations

import io

import pytest
from rich.console import Console

from geodata.errors import InputError
from geodata.inspect import inspect_folder, missing_roles, render_inspection
from geodata.site import ROLES


def shown(inventory) -> str:
    out = io.StringIO()
    Console(width=400, file=out).print(render_inspection(inventory))
    return out.getvalue()


def test_a_table_of_files_and_what_is_missing(agency, inbox):
    agency.shapefile(inbox / "x.shp", agency.al_d010())
    agency.shapefile(inbox / "lost.shp", agency.al_d002(), crs=None)
    (inbox / "메모.txt").write_text("x")
    inventory = inspect_folder(inbox)
    text = shown(inventory)
    line = next(line for line in text.splitlines() if "x.shp" in line)
    for word in ("GIS건물통합정보 (AL_D010)", "integrated building footprints", "CP949", "EPSG:5186 (prj)", "6"):
        assert word in line
    assert "무시함 · ignored" in next(line for line in text.splitlines() if "메모.txt" in line)
    assert "lost.shp" in text
    assert "no coordinate reference system" in text
    assert "1 problem(s) must be mended" in text
    assert set(missing_roles(inventory)) == set(ROLES) - {"buildings"}
    missing = text[text.index("still missing") :]
    for word in (
        "AL_D002",
        "SG05",
        "UQ153",
        "map.ngii.go.kr",
        "climate.onebuilding.org",
        "LT_C_LHZONE",
        "태양광 발전량",
    ):
        assert word in missing


def test_inspection_changes_nothing(agency, inbox):
    agency.dem(inbox / "dem.tif")
    before = {p.name: p.stat().st_mtime_ns for p in inbox.iterdir()}
    shown(inspect_folder(inbox))
    assert {p.name: p.stat().st_mtime_ns for p in inbox.iterdir()} == before


def test_markup_in_a_file_name_is_only_text(inbox):
    (inbox / "[bold]x[-red].csv").write_text("a,b")
    assert "[bold]x[-red].csv" in shown(inspect_folder(inbox))


def test_a_missing_folder(inbox):
    with pytest.raises(InputError, match="does not exist"):
        inspect_folder(inbox / "nowhere")


@pytest.mark.realdata
def test_real_files(shared_data):
    text = shown(inspect_folder(shared_data))
    for name, word in {
        "gwarim_parcels.geojson": "PNU 없음",
        "seoul_dem.tif": "EPSG:5186 (file)",
        "34707051.tif": "EPSG:5186 (file)",
        "KOR_IN_Gimpo": "8,760",
        "KOR_SO_Seoul": "8,760",
        "Yeoksam_One_Block.shp": "1,039",
    }.items():
        assert word in next(line for line in text.splitlines() if name in line)
