"""Files as the agencies write them: CP949, ten-byte field names, no `.cpg`, split and zipped."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

DONG = "4121010500"
CENTRE = (186_000.0, 537_000.0)
"""A place in 노온사동 in EPSG:5186; the dong's own representative point is about 300 m from it."""


class Agency:
    """Writes what agencies hand out."""

    dong = DONG
    centre = CENTRE

    def boxes(self, count: int, size: float = 10.0, step: float = 12.0) -> list[shapely.Geometry]:
        x, y = CENTRE
        side = int(np.ceil(np.sqrt(count)))
        return [
            shapely.box(
                x + step * (i % side),
                y + step * (i // side),
                x + step * (i % side) + size,
                y + step * (i // side) + size,
            )
            for i in range(count)
        ]

    def moved(self, shapes: Sequence, east: float, north: float) -> list[shapely.Geometry]:
        return list(shapely.transform(np.array(shapes), lambda xy: xy + np.array([east, north])))

    def pnus(self, count: int, dong: str = DONG) -> list[str]:
        return [f"{dong}1{number:04d}0000" for number in range(1, count + 1)]

    def shapefile(
        self,
        path: Path,
        columns: Mapping[str, Sequence],
        shapes: Sequence | None = None,
        *,
        crs: str | None = "EPSG:5186",
        encoding: str = "cp949",
        cpg: str | None = None,
    ) -> Path:
        rows = len(next(iter(columns.values())))
        shapes = self.boxes(rows) if shapes is None else shapes
        series = gpd.GeoSeries(list(shapes), crs="EPSG:5186")
        if crs not in {None, "EPSG:5186"}:
            series = series.to_crs(crs)
        path.parent.mkdir(parents=True, exist_ok=True)
        frame = gpd.GeoDataFrame(pd.DataFrame(columns), geometry=series.set_crs(crs, allow_override=True))
        pyogrio.write_dataframe(frame, path, driver="ESRI Shapefile", encoding=encoding, geometry_type="Polygon")
        path.with_suffix(".cpg").unlink(missing_ok=True)
        if cpg is not None:
            path.with_suffix(".cpg").write_text(cpg)
        return path

    def zipped(self, path: Path, *shapefiles: Path, move: bool = True) -> Path:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for shp in shapefiles:
                for file in sorted(shp.parent.iterdir()):
                    if file.stem == shp.stem and file != path:
                        archive.write(file, file.name)
                        if move:
                            file.unlink()
        return path

    def al_d002(self, count: int = 6, date: str = "2026-09-01", first: int = 1) -> dict[str, list]:
        pnus = [f"{DONG}1{number:04d}0000" for number in range(first, first + count)]
        return {
            "A0": list(range(count)),
            "A1": pnus,
            "A2": [DONG] * count,
            "A3": ["경기도 광명시 노온사동"] * count,
            "A4": [str(first + i) for i in range(count)],
            "A5": [f"{first + i}대" for i in range(count)],
            "A6": [date] * count,
            "A7": ["41210"] * count,
        }

    def al_d010(self, count: int = 6, fields: int = 29, date: str = "2026-09-01") -> dict[str, list]:
        columns: dict[str, list] = {f"A{i}": [""] * count for i in range(fields)}
        columns |= {
            "A0": list(range(count)),
            "A1": [f"20012023274044436303{i:08d}" for i in range(count)],
            "A2": self.pnus(count),
            "A3": [DONG] * count,
            "A4": ["경기도 광명시 노온사동"] * count,
            "A8": ["01000"] * count,
            "A9": ["단독주택"] * count,
            "A10": ["21"] * count,
            "A11": ["철근콘크리트구조"] * count,
            "A13": ["20030513"] * count,
            "A14": [123.5] * count,
            "A16": [9.0] * count,
            "A19": [f"B{i}" for i in range(count)],
            "A22": [date] * count,
        }
        if fields == 29:
            columns |= {"A24": ["똠방각하빌라"] * count, "A26": [3] * count, "A27": [0] * count}
        return columns

    def lsmd(self, count: int = 6) -> dict[str, list]:
        return {
            "PNU": self.pnus(count),
            "JIBUN": [f"{i + 1}-2대" for i in range(count)],
            "BCHK": ["1"] * count,
            "SGG_OID": list(range(count)),
            "COL_ADM_SE": ["41210"] * count,
        }

    def f_fac(self, count: int = 6) -> dict[str, list]:
        return {
            "UFID": [f"198620217014444610670000{i:04d}" for i in range(count)],
            "BLD_NM": ["힣빌딩"] * count,
            "GRND_FLR": [5] * count,
            "UGRND_FLR": [1] * count,
            "PNU": self.pnus(count),
            "TOTALAREA": [500.0] * count,
            "HEIGHT": [15.0] * count,
            "STRCT_CD": ["21"] * count,
            "USABILITY": ["14000"] * count,
            "BLDRGST_PK": ["1"] * count,
            "USEAPR_DAY": ["19990101"] * count,
        }

    def sg05(self, codes: Sequence) -> dict[str, list]:
        count = len(codes)
        return {
            "L1_CODE": ["300"] * count,
            "L1_NAME": ["산림지역"] * count,
            "L3_CODE": list(codes),
            "L3_NAME": ["활엽수림"] * count,
        }

    def upis(self, sclas: Sequence[str], mlsfc: Sequence[str] | None = None) -> dict[str, list]:
        count = len(sclas)
        return {
            "PRESENT_SN": [f"41210UQ153PS2020{i:08d}" for i in range(count)],
            "LCLAS_CL": ["UQT000"] * count,
            "MLSFC_CL": list(mlsfc) if mlsfc else ["UQT200"] * count,
            "SCLAS_CL": list(sclas),
            "DGM_NM": ["가학근린공원"] * count,
            "DGM_AR": [100.0] * count,
            "SIGNGU_SE": ["41210"] * count,
            "EXCUT_SE": ["EXA0001"] * count,
        }

    def tl_spbd(self, count: int = 6) -> dict[str, list]:
        """Columns of TL_SPBD_BULD: the parcel number lies in six columns, the land type counts from 0."""
        return {
            "BD_MGT_SN": [f"4121010500100{i + 1:02d}00000000001" for i in range(count)],
            "SIG_CD": [DONG[:5]] * count,
            "EMD_CD": [DONG[5:8]] * count,
            "LI_CD": [""] * count,
            "MNTN_YN": ["0"] * count,
            "LNBR_MNNM": list(range(1, count + 1)),
            "LNBR_SLNO": [0] * count,
            "BULD_NM": ["똠방빌라"] * count,
            "BULD_NM_DC": [""] * count,
            "GRO_FLO_CO": [3] * count,
            "UND_FLO_CO": [0] * count,
            "BDTYP_CD": ["02001"] * count,
        }

    def csv(
        self, path: Path, header: Sequence[str], rows: Sequence[Mapping[str, str]], encoding: str = "cp949"
    ) -> Path:
        """Write a table with every column of ``header``; rows say only what matters."""
        lines = [",".join(header)] + [",".join(row.get(name, "") for name in header) for row in rows]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes("\r\n".join([*lines, ""]).encode(encoding))
        return path

    # the header as it is handed out: the land use is misspelt (토지이동상황 for 토지이용상황)
    al_d195_header = (  # noqa: SIM905 - reads as the line in the file
        "고유번호,법정동코드,법정동명,대장구분코드,대장구분명,지번,토지일련번호,기준년도,기준월,지목코드,지목명,토지면적,"
        "용도지역코드1,용도지역명1,용도지역코드2,용도지역명2,토지이용상황코드,토지이동상황,지형높이코드,지형높이,지형형상코드,"
        "지형형상,도로접면코드,도로접면,공시지가,데이터기준일자"
    ).split(",")
    al_d155_header = (  # noqa: SIM905 - reads as the line in the file
        "고유번호,법정동코드,법정동명,대장구분코드,대장구분명,지번,도면번호,저촉여부코드,저촉여부,용도지역지구코드,"
        "용도지역지구명,등록일자,데이터기준일자,원천시도시군구코드"
    ).split(",")

    def al_d195_row(
        self, pnu: str, area: float, zoning: str = "자연녹지지역", date: str = "2026-02-01"
    ) -> dict[str, str]:
        return {
            "고유번호": pnu, "법정동코드": pnu[:10], "법정동명": "경기도 광명시 노온사동", "기준년도": date[:4], "기준월": "01",
            "지목코드": "08", "지목명": "대", "토지면적": str(area), "용도지역코드1": "43", "용도지역명1": zoning,
            "용도지역명2": "지정되지않음", "토지이동상황": "단독", "공시지가": "1000", "데이터기준일자": date,
        }  # fmt: skip

    def al_d155_row(
        self, pnu: str, code: str, name: str, relation: tuple[str, str] = ("1", "포함"), date: str = "2026-02-01"
    ) -> dict[str, str]:
        return {
            "고유번호": pnu, "법정동코드": pnu[:10], "저촉여부코드": relation[0], "저촉여부": relation[1],
            "용도지역지구코드": code, "용도지역지구명": name, "데이터기준일자": date, "원천시도시군구코드": pnu[:5],
        }  # fmt: skip

    def title(self, path: Path, *records: Mapping[int, str], encoding: str = "cp949") -> Path:
        """Write a bulk text of the building register: 77 values between bars, no header; records by place of the value."""
        usual = {
            1: "1",
            2: "일반",
            3: "2",
            4: "일반건축물",
            8: DONG[:5],
            9: DONG[5:],
            10: "0",
            12: "0000",
            23: "0",
            24: "주건축물",
        }
        lines = ["|".join((usual | dict(record)).get(n, "") for n in range(77)) for record in records]
        path.write_bytes("\n".join([*lines, ""]).encode(encoding))
        return path

    def dem(
        self, path: Path, driver: str = "GTiff", crs: str | None = "EPSG:5186", cell: float = 5.0, base: float = 20.0
    ) -> Path:
        heights = np.add.outer(np.linspace(0, 30, 40), np.linspace(0, 10, 50)).astype("float32") + base
        heights[:3, :3] = -9999
        path.parent.mkdir(parents=True, exist_ok=True)
        profile = {"driver": "GTiff", "width": 50, "height": 40, "count": 1, "dtype": "float32", "crs": crs}
        profile["transform"] = from_origin(CENTRE[0], CENTRE[1] + 200, cell, cell)
        if driver == "AAIGrid":
            rows = "\n".join(" ".join(f"{v:.2f}" for v in row) for row in heights)
            path.write_text(
                f"ncols 50\nnrows 40\nxllcorner {CENTRE[0]}\nyllcorner {CENTRE[1]}\ncellsize {cell}\nNODATA_value -9999\n{rows}\n"
            )
            return path
        profile["driver"] = driver
        with rasterio.open(path, "w", **profile) as raster:
            raster.write(heights, 1)
        return path

    def epw(self, path: Path, hours: int = 8760, place: tuple[float, float] = (37.47, 126.62)) -> Path:
        head = [f"LOCATION,Incheon,-,KOR,TEST,471120,{place[0]},{place[1]},9.0,68.9"] + [
            f"HEADER {i}" for i in range(7)
        ]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(head + ["2020,1,1,1,60,?9,1,2,3"] * hours) + "\n", encoding="latin-1")
        return path


@pytest.fixture
def agency() -> Agency:
    return Agency()


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder
