"""Reading an attribute table: all parts of a dataset that has no geometry, or whose geometry is not looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from geodata import codes
from geodata.archive import Member, member_of
from geodata.errors import InputError
from geodata.inventory import Dataset, LayerPart, RawLayer
from geodata.pnu import compose_pnu
from geodata.products import product as product_called
from geodata.products.model import RAW_COLUMNS, Product, first_filled
from geodata.table_text import Layout, read_layout, stream_table

BATCH_ROWS = 262_144


def read_table(inbox: Path, dataset: Dataset, dongs: Collection[str] | None = None) -> RawLayer:
    """Read all parts of ``dataset`` as one table.

    Parameters
    ----------
    inbox
        Folder that the dataset's paths start at.
    dataset
        A dataset of a role in `geodata.products.model.TABLE_ROLES`.
    dongs
        First eight digits of legal dong codes; records whose parcel number begins with other ones are only counted.
        Records without a parcel number are always returned.

    Returns
    -------
    RawLayer
        ``frame`` is a plain table with every raw column of the role as text (NaN where the source has nothing),
        ``source_key`` (``part:row``, both from 1), ``row_number`` from 0, and ``broken``: True for a line that does not have
        as many values as the header.

    Raises
    ------
    InputError
        If a part has changed or cannot be read.
    """
    wanted = None if dongs is None else {code[:8] for code in dongs}
    frames = []
    read = 0
    for number, part in enumerate(dataset.parts, start=1):
        columns = _columns(dataset, part)
        member = member_of(inbox, part)
        row = 0
        for batch, broken in _batches(member, part, dataset, columns):
            size = len(batch) + broken
            rows = np.arange(row, row + size)
            frame = batch.reindex(range(size)).astype("str")
            frame["broken"] = rows >= row + len(batch)
            frame["source_key"] = pd.Series(rows + 1, dtype="str").radd(f"{number}:")
            frame["row_number"] = read + row + np.arange(size)
            if wanted is not None:
                elsewhere = frame["pnu"].str.fullmatch(r"[0-9]{10}.{9}", na=False) & ~frame["pnu"].str.slice(0, 8).isin(
                    wanted
                )
                frame = frame[~elsewhere]
            frames.append(frame)
            row += size
        read += row
    whole = pd.concat(frames, ignore_index=True) if frames else _empty(dataset)
    return RawLayer(dataset=dataset, frame=whole, read=read, outside=read - len(whole))


def survey(
    member: Member, layout: Layout, product: Product | None, columns: Mapping[str, tuple[str, ...]]
) -> tuple[int, str, frozenset[str]]:
    """Return number of records, newest date and municipalities (five digits) of a text table, in one pass.

    The first records of a table say neither: several snapshots follow each other in one file.
    """
    dates = [name for name in layout.fields if product is not None and name in product.vintage_columns]
    parts = {} if "pnu" in columns or product is None else product.resolve_pnu_parts(layout.fields)
    places = [*columns.get("pnu", ())[:1], *([parts["sig"]] if parts else [])]
    rows, newest, found = 0, "", set()
    for frame, broken in stream_table(member, layout, list(dict.fromkeys([*dates, *places]))):
        rows += len(frame) + broken
        for name in dates[:1]:
            newest = max(newest, *frame[name].dropna().unique(), "")
        for name in places[:1]:
            found |= set(frame[name].dropna().str.slice(0, 5).unique())
    return rows, newest, frozenset(code for code in found if len(code) == 5 and code.isdigit())


def _empty(dataset: Dataset) -> pd.DataFrame:
    texts = {name: pd.Series([], dtype="str") for name in (*RAW_COLUMNS[dataset.role], "source_key")}
    return pd.DataFrame({**texts, "row_number": pd.Series([], dtype="int64"), "broken": pd.Series([], dtype="bool")})


def _columns(dataset: Dataset, part: LayerPart) -> dict[str, tuple[str, ...]]:
    known = product_called(dataset.product)
    found = dict(known.resolve_columns(part.fields)) if known is not None else {}
    for ours, theirs in dataset.columns.items():
        if theirs not in part.fields:
            raise InputError(f"sources.{dataset.role}.columns.{ours}: {part.data_source} has no column {theirs!r}")
        found[ours] = (theirs,)
    return {ours: theirs for ours, theirs in found.items() if ours in RAW_COLUMNS[dataset.role]}


def _batches(
    member: Member, part: LayerPart, dataset: Dataset, columns: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[pd.DataFrame, int]]:
    known = product_called(dataset.product)
    pieces = known.resolve_pnu_parts(part.fields) if known is not None and "pnu" not in columns else {}
    names = list(dict.fromkeys([*(name for theirs in columns.values() for name in theirs), *pieces.values()]))
    for batch, broken in (
        _text_batches(member, part, names) if part.kind == "table" else _map_batches(member, part, names)
    ):
        frame = {}
        for ours in RAW_COLUMNS[dataset.role]:
            theirs = columns.get(ours, ())
            if theirs:
                frame[ours] = first_filled(batch, theirs)
            elif ours == "pnu" and pieces:
                frame[ours] = compose_pnu(pd.DataFrame({piece: batch[name] for piece, name in pieces.items()}))
            else:
                frame[ours] = pd.Series(np.nan, index=batch.index).astype("str")
        yield pd.DataFrame(frame, index=batch.index), broken


def _text_batches(member: Member, part: LayerPart, names: list[str]) -> Iterator[tuple[pd.DataFrame, int]]:
    layout, _ = read_layout(member, part.encoding)
    if layout.fields != part.fields:
        raise InputError(f"{part.data_source} has changed since it was looked at; run again")
    yield from stream_table(member, layout, names)


def _map_batches(member: Member, part: LayerPart, names: list[str]) -> Iterator[tuple[pd.DataFrame, int]]:
    """Yield the attributes of a map layer."""
    try:
        with pyogrio.raw.open_arrow(
            member.gdal_path,
            layer=part.layer,
            encoding=part.encoding,
            columns=names,
            read_geometry=False,
            batch_size=BATCH_ROWS,
            use_pyarrow=True,
        ) as (_, reader):
            for batch in reader:
                table = pa.Table.from_batches([batch])
                texts = {name: codes.as_text(table[name], part.encoding or "UTF-8") for name in names}
                yield pd.DataFrame(texts), 0
    except (DataSourceError, DataLayerError, pa.ArrowException, OSError) as error:
        raise InputError(f"{part.data_source} cannot be read: {error}. Download or copy it again") from error
