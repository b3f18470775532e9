"""Raw layers and a study area for the tests of the clean layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import geopandas as gpd
import pytest
import shapely

from geodata.inventory import Dataset, RawLayer
from geodata.study_area import StudyArea, legal_dongs

CRS = "EPSG:5186"
ORIGIN = (190_000.0, 540_000.0)
"""South-west corner of the test area; helpers count metres from here."""


@pytest.fixture
def box() -> Callable[[float, float, float, float], shapely.Polygon]:
    """Rectangle by its south-west corner, width and height, counted from the origin of the test area."""

    def make(x: float, y: float, width: float, height: float) -> shapely.Polygon:
        west, south = ORIGIN[0] + x, ORIGIN[1] + y
        return shapely.box(west, south, west + width, south + height)

    return make


@pytest.fixture
def area() -> StudyArea:
    """One square kilometre, divided into a western and an eastern dong."""
    west, south = ORIGIN
    dongs = gpd.GeoDataFrame(
        {"dong_code": ["4121010500", "4121010700"], "name_ko": ["노온사동", "가학동"]},
        geometry=[
            shapely.box(west, south, west + 500, south + 1000),
            shapely.box(west + 500, south, west + 1000, south + 1000),
        ],
        crs=CRS,
    )
    return StudyArea(crs=CRS, area=shapely.union_all(dongs.geometry.to_numpy()), dongs=dongs)


@pytest.fixture
def raw_layer() -> Callable[..., RawLayer]:
    """Factory: a raw layer of one role from shapes and columns."""

    def make(
        role: str,
        geometry: Sequence[Any],
        *,
        outside: int = 0,
        product: str = "TEST",
        vintage: str = "2026",
        crs: str = CRS,
        **columns: Any,
    ) -> RawLayer:
        frame = gpd.GeoDataFrame(columns, geometry=list(geometry), crs=crs)
        if "source_key" not in frame:
            frame["source_key"] = [f"{product}:{row}" for row in range(len(frame))]
        frame["row_number"] = range(len(frame))
        dataset = Dataset(product=product, role=role, parts=(), vintage=vintage)
        return RawLayer(dataset=dataset, frame=frame, read=len(frame) + outside, outside=outside)

    return make


@pytest.fixture(scope="session")
def site_area_of() -> Callable[..., StudyArea]:
    """Factory: the study area of real legal dongs, by their codes."""

    def make(*codes: str) -> StudyArea:
        dongs = legal_dongs(CRS)
        chosen = dongs[dongs["dong_code"].isin(codes)].reset_index(drop=True)
        return StudyArea(crs=CRS, area=shapely.union_all(chosen.geometry.to_numpy()), dongs=chosen)

    return make
