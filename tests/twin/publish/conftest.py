"""A few dozen plausible features, finished by the catalogue, as the writer receives them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.catalogue import LAYERS
from geodata.catalogue.shared import COVER_CLASSES
from twin.publish.about import ReleaseAbout

CRS = "EPSG:5186"
EAST, NORTH = 185_000.0, 538_000.0
DONG = "4121010700"


def months(total: np.ndarray) -> dict[str, np.ndarray]:
    share = np.array([5, 6, 9, 10, 11, 10, 8, 9, 9, 9, 7, 7]) / 100
    return {f"yield_{month:02d}_kwh": total * share[month - 1] for month in range(1, 13)}


def make_layers(columns: int = 6, rows: int = 5) -> dict[str, pd.DataFrame]:
    """A grid of parcels of 40 m x 30 m, most with a building; every field of the catalogue carries something."""
    count = columns * rows
    index = np.arange(count)
    x, y = EAST + 44.0 * (index % columns), NORTH + 34.0 * (index // columns)
    boxes = shapely.box(x, y, x + 40, y + 30)
    green_pct = np.where(index % 7 == 6, np.nan, (index * 13) % 101)
    parcels = gpd.GeoDataFrame(
        {
            "pnu": [f"{DONG}1{1 + i:04d}0000" for i in index],
            "dong_code": DONG,
            "jibun": [f"{1 + i}대" for i in index],
            "jimok": pd.Series(["대", "전", "임", "도"])[index % 4].to_numpy(),
            "area_m2": 1200.0,
            "source_rows": 1 + (index % 11 == 0),
            "building_count": 1,
            "green_area_m2": green_pct * 12,
            "green_cover_pct": green_pct,
            **{
                f"cover_{name}_m2": (1200.0 - np.nan_to_num(green_pct) * 12)
                if name == "built"
                else np.nan_to_num(green_pct) * 12 * (name == "grass")
                for name in COVER_CLASSES
            },
        },
        geometry=boxes,
        crs=CRS,
    )
    foot = shapely.box(x + 6, y + 6, x + 24 + index % 10, y + 20)
    kwh = 900.0 * (1 + index) ** 1.5
    sums = {"roof_area_m2": 250.0, "usable_area_m2": 120.0, "capacity_kwp": kwh / 1200, "yield_kwh": kwh, **months(kwh)}
    buildings = gpd.GeoDataFrame(
        {
            "building_id": [f"b{i:04d}" for i in index],
            "pnu": parcels["pnu"].where(index % 9 != 8),
            "dong_code": DONG,
            "name": np.where(index % 5 == 0, [f"하늘마을 {i}동" for i in index], None),
            "use_code": "02001",
            "use": "아파트",
            "structure_code": "21",
            "structure": "철근콘크리트구조",
            "floors_above": pd.array(np.where(index % 6 == 5, None, 1 + index), dtype="Int64"),
            "floors_below": pd.array(index % 3, dtype="Int64"),
            "height": 3.0 * (1 + index),
            "height_source": pd.Series(["recorded", "floors", "neighbours", "default"])[index % 4].to_numpy(),
            "altitude": np.where(index % 4 == 3, np.nan, 20.0 + index),
            "footprint_area_m2": shapely.area(foot),
            "gross_floor_area_m2": shapely.area(foot) * (1 + index),
            "approved_on": pd.Series(pd.to_datetime(["1988-10-03", None, "2021-01-31"]))[index % 3].to_numpy(),
            "source_id": None,
            **sums,
        },
        geometry=foot,
        crs=CRS,
    )
    roofs = gpd.GeoDataFrame(
        {
            "roof_id": buildings["building_id"] + "-1",
            "building_id": buildings["building_id"],
            "pnu": buildings["pnu"],
            "dong_code": DONG,
            "tilt_deg": 0.0,
            "azimuth_deg": np.nan,
            "module_tilt_deg": 10.0,
            "module_azimuth_deg": 180.0,
            "area_m2": 250.0,
            "usable_area_m2": 120.0,
            "irradiation_kwh_m2": 1310.0 + index,
            "poa_kwh_m2": 1400.0 + index,
            "capacity_kwp": kwh / 1200,
            "specific_yield_kwh_kwp": 1200.0 + index,
            "yield_kwh": kwh,
            **months(kwh),
        },
        geometry=foot,
        crs=CRS,
    )
    groups = ["forest", "grass", "farm", "wetland", "planned"]
    green = gpd.GeoDataFrame(
        {
            "green_id": [f"g{i}" for i in range(10)],
            "class_code": "311",
            "class_ko": "활엽수림",
            "class_en": "broad-leaved forest",
            "group": [groups[i % 5] for i in range(10)],
            "area_m2": 400.0,
            "is_canopy": [i % 5 == 0 for i in range(10)],
            "is_agricultural": [i % 5 == 2 for i in range(10)],
            "source_kind": ["land_cover"] * 10,
            "resolution_m": [1.0] * 10,
            "source": "토지피복지도 세분류",
        },
        geometry=shapely.box(
            EAST + 40.0 * np.arange(10) - 60, NORTH - 60, EAST + 40.0 * np.arange(10) - 22, NORTH - 10
        ),
        crs=CRS,
    )
    ring = shapely.Point(EAST + 300, NORTH + 80).buffer(30).difference(shapely.Point(EAST + 300, NORTH + 80).buffer(8))
    parks = gpd.GeoDataFrame(
        {
            "park_id": ["p1", "p2"],
            "name": ["가온공원", None],
            "class_code": "UQT210",
            "class_ko": "근린공원",
            "class_en": "neighbourhood park",
            "status": ["built", "planned"],
            "dong_code": DONG,
            "area_m2": [2600.0, 900.0],
        },
        geometry=[ring, shapely.box(EAST + 280, NORTH, EAST + 310, NORTH + 30)],
        crs=CRS,
    )
    districts = gpd.GeoDataFrame(
        {
            "dong_code": [DONG],
            "name_ko": ["가학동"],
            "kind": "legal_dong",
            "area_m2": 90_000.0,
            "building_count": count,
            "green_cover_pct": 31.25,
            **{k: [np.sum(v)] for k, v in months(kwh).items()},
            "yield_kwh": kwh.sum(),
        },
        geometry=[shapely.box(EAST - 70, NORTH - 70, EAST + 360, NORTH + 190)],
        crs=CRS,
    )
    quality = gpd.GeoDataFrame(
        {
            "source": "buildings",
            "key": [f"r{i}" for i in range(4)],
            "reason": ["geometry_repaired", "exact_duplicate", "no_geometry", "height_default"],
            "outcome": ["repaired", "merged", "reasoned", "noted"],
            "reason_ko": ["도형 오류를 고침", "완전히 같은 레코드", "도형 없음", "높이를 기본값으로 둠"],
            "reason_en": ["repaired", "duplicate", "no geometry", "default height"],
            "detail": "",
        },
        geometry=[
            shapely.Point(EAST + 10, NORTH + 10),
            shapely.Point(EAST + 60, NORTH + 60),
            None,
            shapely.Point(EAST + 100, NORTH + 100),
        ],
        crs=CRS,
    )
    run_info = pd.DataFrame(
        {
            "topic": ["input", "version", "parameter"],
            "name": ["AL_D010.zip", "pvlib", "albedo"],
            "value": ["2026-10-01", "0.16.1", "0.2"],
            "unit": ["", "", "1"],
            "source": ["국토교통부", "", "pvlib"],
            "verified": pd.array([None, None, True], dtype="boolean"),
            "note": "",
        }
    )
    raw = {
        "run_info": run_info, "quality": quality, "green": green, "parks": parks,
        "roofs": roofs, "buildings": buildings, "parcels": parcels, "districts": districts,
    }  # fmt: skip
    return {name: LAYERS[name].finish(frame) for name, frame in raw.items()}


def make_plan_blocks() -> pd.DataFrame:
    uses = ["공동주택", "단독주택", "근린공원", "초등학교", "도로", "상업업무", "자족시설", "기타시설"]
    classes = ["apartment", "detached", "park", "school", "road", "commercial", "business", "other"]
    index = np.arange(len(uses))
    frame = gpd.GeoDataFrame(
        {"block_id": [f"A-{i}" for i in index], "land_use": uses, "use_class": classes, "block_status": ["standing", "new"] * 4,
         "built_share_pct": 12.5 * index, "dong_code": DONG, "area_m2": 2400.0, "floor_area_ratio_pct": 200.0,
         "building_coverage_pct": 50.0, "floors_limit": pd.array([25] * len(uses), dtype="Int64"), "homes": pd.array([100] * len(uses), dtype="Int64")},
        geometry=shapely.box(EAST + 50.0 * index, NORTH, EAST + 50.0 * index + 46, NORTH + 50),
        crs=CRS,
    )  # fmt: skip
    return LAYERS["plan_blocks"].finish(frame)


@pytest.fixture
def layers() -> dict[str, pd.DataFrame]:
    """Every layer but plan_blocks, deliberately not in the catalogue's order."""
    return make_layers()


@pytest.fixture
def plan_blocks() -> pd.DataFrame:
    return make_plan_blocks()


@pytest.fixture
def about() -> ReleaseAbout:
    return ReleaseAbout(
        title_ko="가온 시험지구", title_en="Gaon test district", crs=CRS, timestamp="2026-10-01", unshaded=True, demo=True,
        rights="시험용", lineage="made by a test",
    )  # fmt: skip
