"""Systems that a range of numbers cannot tell apart, told by where the records lie."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata.errors import InputError
from geodata.inbox import refuse, take_inventory
from geodata.study_area import legal_dongs
from geodata.vector_file import read_dataset

TRIO = ["EPSG:5174", "EPSG:2097", "EPSG:5181"]


def dong_shape(code: str) -> shapely.Polygon:
    dongs = legal_dongs("EPSG:5186")
    return dongs.set_index("dong_code").geometry[code]


def lots_over(shape: shapely.Geometry, step: float = 60.0) -> np.ndarray:
    """Squares of 20 m all over a polygon."""
    west, south, east, north = shape.bounds
    x, y = np.meshgrid(np.arange(west, east, step), np.arange(south, north, step))
    points = shapely.points(x.ravel(), y.ravel())
    inside = points[shapely.contains(shape, points)]
    centre = shapely.get_coordinates(inside)
    return shapely.box(*(centre - 10).T, *(centre + 10).T)


def no_prj(path) -> None:
    path.with_suffix(".prj").unlink()


def lots_in_the_middle(agency, count: int, size: float) -> list[shapely.Geometry]:
    """Lots around the point of the dong that is furthest from its border: more than 400 m, the three differ by 313 m."""
    shape = dong_shape(agency.dong)
    middle = shapely.maximum_inscribed_circle(shape, tolerance=1.0)
    assert middle.length > 500
    x, y = middle.coords[0]
    return agency.moved(agency.boxes(count, size=size), x - agency.centre[0] - 50, y - agency.centre[1] - 50)


def rough(columns: dict, count: int) -> dict:
    return {name: (values * count)[:count] for name, values in columns.items()}


@pytest.mark.parametrize("crs", ["EPSG:5174", "EPSG:5181", "EPSG:5179"])
def test_parcels_all_over_a_dong_tell_their_system(agency, inbox, crs):
    lots = lots_over(dong_shape(agency.dong))
    columns = {
        **rough(agency.lsmd(1), len(lots)),
        "PNU": [f"{agency.dong}1{i // 100 + 1:04d}{i % 100:04d}" for i in range(len(lots))],
    }
    no_prj(agency.shapefile(inbox / "LSMD_CONT_LDREG_5174.shp", columns, lots, crs=crs))
    inventory = take_inventory(inbox)
    refuse(inventory)
    (dataset,) = inventory.datasets
    assert (dataset.parts[0].crs, dataset.parts[0].crs_origin) == (crs, "legal dongs")
    (told,) = inventory.problems
    assert not told.fatal
    assert f"{crs} (of {min(len(lots), 2000):,} records lie where they say: {crs} " in told.what
    frame = read_dataset(inbox, dataset, "EPSG:5186").frame
    assert np.abs(shapely.bounds(frame.geometry.to_numpy()) - shapely.bounds(lots)).max() < 0.01


def test_parcels_in_the_middle_of_a_dong_do_not(agency, inbox):
    # all within 200 m: whichever of the three it is, they lie in their dong
    lots = lots_in_the_middle(agency, 40, 10.0)
    no_prj(agency.shapefile(inbox / "a.shp", agency.al_d002(40), lots, crs="EPSG:5174"))
    inventory = take_inventory(inbox)
    assert inventory.datasets == ()
    with pytest.raises(InputError, match="it cannot be told apart: of 40 records lie where they say") as error:
        refuse(inventory)
    assert all(crs in str(error.value) for crs in TRIO)
    assert "give `crs` for this source in the site file" in str(error.value)


@pytest.mark.parametrize("crs", ["EPSG:2097", "EPSG:5181"])
def test_buildings_in_the_middle_of_a_dong_are_told_by_their_parcels(agency, inbox, crs):
    agency.shapefile(inbox / "parcels.shp", agency.al_d002(64), lots_in_the_middle(agency, 64, 12.0))
    houses = agency.moved(lots_in_the_middle(agency, 64, 6.0), 3.0, 3.0)
    no_prj(agency.shapefile(inbox / "buildings.shp", agency.al_d010(64), houses, crs=crs))
    inventory = take_inventory(inbox)
    refuse(inventory)
    found = {d.role: d.parts[0] for d in inventory.datasets}
    assert (found["buildings"].crs, found["buildings"].crs_origin) == (crs, "parcels")


def test_parcels_that_are_themselves_in_doubt_are_no_witness(agency, inbox):
    agency.shapefile(inbox / "parcels.shp", agency.al_d002(64), lots_in_the_middle(agency, 64, 12.0), crs="EPSG:5174")
    houses = agency.moved(lots_in_the_middle(agency, 64, 6.0), 3.0, 3.0)
    no_prj(agency.shapefile(inbox / "buildings.shp", agency.al_d010(64), houses, crs="EPSG:5174"))
    inventory = take_inventory(inbox)
    assert [d.role for d in inventory.datasets] == ["parcels"]
    with pytest.raises(InputError, match="cannot be told apart"):
        refuse(inventory)


@pytest.mark.parametrize(("declared", "true"), [("EPSG:2097", "EPSG:5174"), ("EPSG:5174", "EPSG:5181")])
def test_a_prj_of_the_wrong_datum_is_refused(agency, inbox, declared, true):
    lots = lots_over(dong_shape(agency.dong))
    columns = {
        **rough(agency.lsmd(1), len(lots)),
        "PNU": [f"{agency.dong}1{i // 100 + 1:04d}{i % 100:04d}" for i in range(len(lots))],
    }
    path = agency.shapefile(inbox / "a.shp", columns, lots, crs=true)
    other = agency.shapefile(inbox.parent / "b.shp", agency.lsmd(1), crs=declared)
    path.with_suffix(".prj").write_text(other.with_suffix(".prj").read_text())
    with pytest.raises(
        InputError, match=f"contradict each other: prj {declared}, but of .* lie where they say: {true}"
    ):
        refuse(take_inventory(inbox))


@pytest.mark.parametrize("crs", ["EPSG:5174"])
def test_a_right_prj_stands(agency, inbox, crs):
    lots = lots_over(dong_shape(agency.dong), 100.0)
    columns = {
        **rough(agency.lsmd(1), len(lots)),
        "PNU": [f"{agency.dong}1{i // 100 + 1:04d}{i % 100:04d}" for i in range(len(lots))],
    }
    agency.shapefile(inbox / "a.shp", columns, lots, crs=crs)
    inventory = take_inventory(inbox)
    assert [d.parts[0].crs for d in inventory.datasets] == [crs]
    assert inventory.problems == ()


@pytest.mark.realdata
@pytest.mark.parametrize("crs", ["EPSG:5174", "EPSG:2097"])
def test_real_parcels_tell_their_system(agency, inbox, shared_data, crs):
    real = gpd.read_file(shared_data / "gwarim" / "gwarim_parcels.geojson").to_crs("EPSG:5186")
    codes = real["법정동"].map({"과림동": "4139011200", "무지내동": "4139013400"})
    number = real["지번"].str.removeprefix("산").str.extract(r"^(\d+)-?(\d*)$").fillna("0").replace("", "0")
    pnu = (
        codes + np.where(real["지번"].str.startswith("산"), "2", "1") + number[0].str.zfill(4) + number[1].str.zfill(4)
    )
    columns = {**rough(agency.lsmd(1), len(real)), "PNU": pnu.tolist()}
    no_prj(agency.shapefile(inbox / "a.shp", columns, real.geometry, crs=crs))
    inventory = take_inventory(inbox)
    refuse(inventory)
    assert inventory.datasets[0].parts[0].crs == crs
