"""Reading a dataset: all its parts, decoded, in our columns and the site's coordinate reference system.

Records are streamed in batches, so that a province is read in the memory of a town: only what can touch the wanted
box is kept. Nothing is judged here, and nothing vanishes: records without geometry, and records whose coordinates
cannot be in Korea, are returned like all others for cleaning to account for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import pyproj
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from geodata import codes, cut_names, dbf
from geodata.archive import Member, find_on_disk, member_of
from geodata.city_layer import read_city_dataset
from geodata.crs import in_korea
from geodata.encoding import decode
from geodata.errors import InputError
from geodata.inventory import Dataset, LayerPart, RawLayer
from geodata.pnu import compose_pnu
from geodata.products import product as product_called
from geodata.products.model import QUANTITIES, RAW_COLUMNS, first_filled
from geodata.site import Role
from geodata.table_file import read_table

BATCH_ROWS = 65_536
DEGREES = "EPSG:4326"
Box = tuple[float, float, float, float]
_KEYS: dict[Role, tuple[str, ...]] = {
    "parcels": ("pnu",),
    "buildings": ("source_id", "building_id"),
    "parks": ("source_id",),
    "plan_blocks": ("block_id",),
    "terrain": ("source_id",),
    "roads": ("source_id",),
    "park_entrances": ("source_id",),
    "footways": ("source_id",),
    "bus_stops": ("source_id",),
}
"""What the source calls its records, in order of preference."""


def read_dataset(inbox: Path, dataset: Dataset, crs: str, bbox: Box | None = None) -> RawLayer:
    """Read all parts of ``dataset`` as one layer in ``crs``.

    Parameters
    ----------
    inbox
        Folder that the dataset's paths start at.
    dataset
        A dataset of vector parts, or of tables with `longitude` and `latitude` in degrees (WGS 84).
    crs
        Target system, ``EPSG:nnnn``.
    bbox
        minx, miny, maxx, maxy in ``crs``; only records whose box can touch it are returned, the others are counted.
        Records without geometry, or with coordinates outside Korea, are always returned.

    Returns
    -------
    RawLayer
        ``frame`` holds every raw column of the role (`geodata.products.model.RAW_COLUMNS`): text, NaN where the source
        has nothing; quantities as float64 where the source holds numbers, as written where it holds text; ``source_key``, what the source calls the record
        (else ``part:row``, both from 1); ``row_number``, its place in the dataset from 0; where there are
        shapes with arcs, ``had_curve``: arcs were divided into straight lines; and the geometry, in 2D or 3D as the source
        has it.

    Raises
    ------
    InputError
        If a part has changed or cannot be read.
    """
    if any(part.kind == "city" for part in dataset.parts):
        return read_city_dataset(inbox, dataset, crs, bbox)
    if any(part.kind == "table" for part in dataset.parts):
        return _read_places(inbox, dataset, crs, bbox)
    frames = []
    read = 0
    for number, part in enumerate(dataset.parts, start=1):
        for frame, rows in _read_part(inbox, dataset, part, crs, bbox, number=number, start=read):
            read += rows
            if len(frame):
                frames.append(frame)
    whole = pd.concat(frames, ignore_index=True) if frames else _empty(dataset, crs)
    return RawLayer(dataset=dataset, frame=whole, read=read, outside=read - len(whole))


def _read_places(inbox: Path, dataset: Dataset, crs: str, bbox: Box | None) -> RawLayer:
    """Read tables whose records lie at a longitude and a latitude; one without both numbers has no geometry."""
    told = read_table(inbox, dataset)
    frame = told.frame.drop(columns="broken")
    degrees = [pd.to_numeric(frame[name], errors="coerce").to_numpy("float64") for name in ("longitude", "latitude")]
    known = np.isfinite(degrees).all(axis=0)
    shapes = np.full(len(frame), None, dtype=object)
    shapes[known] = shapely.points(*(part[known] for part in degrees))
    frame["source_key"] = first_filled(frame, (*_KEYS.get(dataset.role, ()), "source_key"))
    keep = _wanted(shapes, DEGREES, None if bbox is None else _box_in(DEGREES, crs, bbox))
    located = gpd.GeoDataFrame(frame[keep].reset_index(drop=True), geometry=shapes[keep], crs=DEGREES).to_crs(crs)
    return RawLayer(dataset=dataset, frame=located, read=told.read, outside=told.read - len(located))


def _empty(dataset: Dataset, crs: str) -> gpd.GeoDataFrame:
    columns = {
        name: pd.Series([], dtype="float64" if name in QUANTITIES else "str")
        for name in RAW_COLUMNS.get(dataset.role, ())
    }
    keys = {"source_key": pd.Series([], dtype="str"), "row_number": pd.Series([], dtype="int64")}
    return gpd.GeoDataFrame({**columns, **keys}, geometry=[], crs=crs)


def _columns(dataset: Dataset, part: LayerPart) -> dict[str, tuple[str, ...]]:
    """Return our columns and the file's, the site file's mapping before the product's."""
    known = product_called(dataset.product)
    found = dict(known.resolve_columns(part.fields)) if known is not None else {}
    for ours, theirs in dataset.columns.items():
        if theirs not in part.fields:
            raise InputError(f"sources.{dataset.role}.columns.{ours}: {part.data_source} has no column {theirs!r}")
        found[ours] = (theirs,)
    return {ours: theirs for ours, theirs in found.items() if ours in RAW_COLUMNS.get(dataset.role, ())}


def _pnu_pieces(dataset: Dataset, part: LayerPart) -> dict[str, str]:
    known = product_called(dataset.product)
    return known.resolve_pnu_parts(part.fields) if known is not None and "pnu" in RAW_COLUMNS[dataset.role] else {}


def _read_part(
    inbox: Path, dataset: Dataset, part: LayerPart, crs: str, bbox: Box | None, *, number: int, start: int
) -> Iterator[tuple[gpd.GeoDataFrame, int]]:
    """Yield the wanted records of one part batch by batch, with the number of records in the batch."""
    if part.crs is None:
        raise InputError(f"{part.data_source} has no coordinate reference system; give `crs` in the site file")
    wanted = _columns(dataset, part)
    pieces = _pnu_pieces(dataset, part) if "pnu" not in wanted else {}
    names = list(dict.fromkeys([*(name for theirs in wanted.values() for name in theirs), *pieces.values()]))
    member = member_of(inbox, part)
    box = None if bbox is None else _box_in(part.crs, crs, bbox)
    wide = _raw_numbers(inbox, part, member, [n for o, ns in wanted.items() if o not in QUANTITIES for n in ns])
    spelled = _spelling(inbox, part, member)
    row = start
    try:
        with pyogrio.raw.open_arrow(
            member.gdal_path,
            layer=part.layer,
            encoding=cut_names.BYTES if spelled else part.encoding,
            columns=[spelled.names[name] for name in names] if spelled else names,
            return_fids=True,
            batch_size=BATCH_ROWS,
            use_pyarrow=True,
        ) as (meta, reader):
            shape_name = meta["geometry_name"] or "wkb_geometry"
            fid_name = meta["fid_column"] or "OGC_FID"
            for batch in reader:
                table = pa.Table.from_batches([batch])
                table = spelled.decoded(table) if spelled else table
                shapes, bent = _straight(member, part, table[shape_name], table[fid_name].to_numpy())
                keep = _wanted(shapes, part.crs, box)
                fids = table[fid_name].to_numpy()[keep]
                frame = _frame(
                    dataset.role,
                    part,
                    table.filter(pa.array(keep)),
                    wanted,
                    {n: read(fids) for n, read in wide.items()},
                )
                if pieces:
                    chosen = table.filter(pa.array(keep))
                    parts = {p: codes.as_text(chosen[n], part.encoding or "UTF-8") for p, n in pieces.items()}
                    frame["pnu"] = compose_pnu(pd.DataFrame(parts))
                if bent.any():
                    frame["had_curve"] = bent[keep]
                rows = row + np.flatnonzero(keep)
                frame[""] = pd.Series(rows - start + 1, dtype="int64").astype("str").radd(f"{number}:")
                frame["source_key"] = first_filled(frame, (*_KEYS.get(dataset.role, ()), ""))
                frame = frame.drop(columns="")
                frame["row_number"] = rows
                located = gpd.GeoDataFrame(frame, geometry=shapes[keep], crs=part.crs)
                yield located if part.crs == crs else located.to_crs(crs), len(table)
                row += len(table)
    except (DataSourceError, DataLayerError, pa.ArrowException, OSError) as error:
        raise InputError(f"{part.data_source} cannot be read: {error}. Download or copy it again") from error


def _spelling(inbox: Path, part: LayerPart, member: Member) -> cut_names.Spelling | None:
    """Return how to ask for the columns of a shapefile whose names were cut within a letter; None for all others."""
    if member.suffix != ".shp":
        return None
    with _table_beside(inbox, part, member).open() as stream:
        return cut_names.spelling(dbf.read_header(stream), part.encoding or "UTF-8")


def _straight(
    member: Member, part: LayerPart, column: pa.ChunkedArray, fids: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return shapes without arcs, and which had some: GEOS knows only straight lines, GDAL divides arcs into those."""
    raw = column.to_numpy()
    bent = np.zeros(len(raw), dtype=bool)
    try:
        return shapely.from_wkb(raw, on_invalid="ignore"), bent
    except NotImplementedError:
        kinds = np.array([0 if value is None else _kind(value) for value in raw])
    # 7 is a collection, which may hold arcs; 8 to 12 are made of them
    again, bent = kinds >= 7, kinds >= 8
    shapes = np.full(len(raw), None, dtype=object)
    shapes[~again] = shapely.from_wkb(raw[~again], on_invalid="ignore")
    _, _, straight, _ = pyogrio.raw.read(
        member.gdal_path, layer=part.layer, encoding=part.encoding, columns=[], fids=fids[again]
    )
    shapes[again] = shapely.from_wkb(straight, on_invalid="ignore")
    return shapes, bent


def _kind(wkb: bytes) -> int:
    """Return the geometry type of a WKB; thousands and high bits, which tell of Z and M, are left out."""
    return (int.from_bytes(wkb[1:5], "little" if wkb[0] else "big") & 0x0FFFFFFF) % 1000


def _box_in(source: str, target: str, bbox: Box) -> Box:
    """Return ``bbox`` of ``target`` as a box of ``source`` that holds it wholly."""
    if source == target:
        return bbox
    transformer = pyproj.Transformer.from_crs(target, source, always_xy=True)
    minx, miny, maxx, maxy = transformer.transform_bounds(*bbox, densify_pts=41)
    # edges are curved between the sampled points
    padx, pady = 1e-4 * (maxx - minx), 1e-4 * (maxy - miny)
    return (minx - padx, miny - pady, maxx + padx, maxy + pady)


def _wanted(shapes: np.ndarray, crs: str, box: Box | None) -> np.ndarray:
    if box is None:
        return np.ones(len(shapes), dtype=bool)
    bounds = shapely.bounds(shapes)
    with np.errstate(invalid="ignore"):
        apart = (bounds[:, 0] > box[2]) | (bounds[:, 2] < box[0]) | (bounds[:, 1] > box[3]) | (bounds[:, 3] < box[1])
    # comparisons with NaN are false: records without coordinates stay
    return ~apart | ~in_korea(bounds, crs)


def _frame(
    role: Role, part: LayerPart, table: pa.Table, wanted: dict[str, tuple[str, ...]], wide: dict[str, pd.Series]
) -> pd.DataFrame:
    """Return our columns of ``table``; ``wide`` holds those that had to be read from the DBF itself."""
    columns = {}
    for ours in RAW_COLUMNS.get(role, ()):
        theirs = wanted.get(ours, ())
        if not theirs:
            empty = pd.Series(np.full(table.num_rows, np.nan))
            columns[ours] = empty if ours in QUANTITIES else empty.astype("str")
        elif ours in QUANTITIES and len(theirs) == 1 and _is_number(table[theirs[0]]):
            columns[ours] = table[theirs[0]].cast(pa.float64(), safe=False).to_pandas()
        else:
            texts = {}
            for name in theirs:
                text = wide[name] if name in wide else codes.as_text(table[name], part.encoding or "UTF-8")
                texts[name] = codes.widen_code(text, ours) if _is_number(table[name]) else text
            columns[ours] = first_filled(pd.DataFrame(texts), theirs)
    return pd.DataFrame(columns)


def _is_number(column: pa.ChunkedArray) -> bool:
    return pa.types.is_integer(column.type) or pa.types.is_floating(column.type)


def _raw_numbers(
    inbox: Path, part: LayerPart, member: Member, names: list[str]
) -> dict[str, Callable[[np.ndarray], pd.Series]]:
    """Return readers of text columns that a DBF holds as wide numbers, by record number.

    GDAL turns whole numbers of 19 digits into doubles, which cannot hold them; the table itself still has the digits.
    """
    if member.suffix != ".shp":
        return {}
    table = _table_beside(inbox, part, member)
    found: dict[str, Callable[[np.ndarray], pd.Series]] = {}
    with table.open() as stream:
        header = dbf.read_header(stream)
        numeric = {
            decode(f.name, part.encoding or "UTF-8"): f for f in header.fields if f.kind in "NF" and f.width > 15
        }
        fields = {name: numeric[name] for name in names if name in numeric}
        if not fields:
            return {}
        pieces: dict[str, list[np.ndarray]] = {name: [] for name in fields}
        for block in dbf.read_blocks(stream, header):
            for name, column in fields.items():
                pieces[name].append(dbf.column(block, column))
    for name in fields:
        values = np.concatenate(pieces[name]) if pieces[name] else np.zeros(0, dtype="S1")
        found[name] = _by_record(values)
    return found


def _by_record(values: np.ndarray) -> Callable[[np.ndarray], pd.Series]:
    def read(records: np.ndarray) -> pd.Series:
        text = pd.Series(values[records].astype("str"), dtype="str")
        # 4121010500100010001.00 is a whole number written with decimals
        text = text.str.replace(r"^([0-9]+)\.0*$", r"\1", regex=True)
        return text.where((text != "") & ~text.str.fullmatch(r"\*+"))

    return read


def _table_beside(inbox: Path, part: LayerPart, member: Member) -> Member:
    """Return the DBF of a shapefile."""
    for suffix in (".dbf", ".DBF", ".Dbf"):
        if member.inner:
            inner = (*member.inner[:-1], member.inner[-1][: -len(member.suffix)] + suffix)
            candidate = Member(path=member.path, outer=member.outer, inner=inner, archive=member.archive)
            try:
                with candidate.open():
                    return candidate
            except InputError:
                continue
        name = part.file.path[: -len(member.suffix)] + suffix
        try:
            return Member(path=name, outer=find_on_disk(inbox, name))
        except InputError:
            continue
    raise InputError(f"{part.data_source}: its .dbf is gone; copy all files of the shapefile together")
