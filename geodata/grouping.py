"""Which layers belong together: parts of one delivery, copies of one file, editions that replace each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pyogrio
import shapely
from shapely.geometry.base import BaseGeometry

from geodata import dbf
from geodata.codes import as_text
from geodata.crs import KOREA
from geodata.encoding import decode
from geodata.inventory import Dataset, Problem
from geodata.municipalities import ground_of
from geodata.parts import Candidate, labels, lonlat_box
from geodata.problems import problem
from geodata.products import PRODUCTS
from geodata.products.model import TABLE_ROLES, RasterSample, WeatherSample

FULL_PART = 1_000_000
"""Agencies cut their deliveries into parts of this many records."""
_COVERED = 0.9
"""A layer without codes is replaced if this share of its extent is covered by a preferred one."""

Series = list[Candidate]
"""The parts of one delivery, in order of their numbers."""


def assemble(candidates: Sequence[Candidate]) -> tuple[list[Dataset], list[Problem]]:
    """Return the datasets that ``candidates`` make up, and what their owner should know.

    Parts ``STEM``, ``STEM(2)``, ``STEM(3)`` are one delivery; a gap in the numbers is fatal. A copy of the same data
    is left out. Of several editions of one place the newest is taken, of several products the one that comes first in
    `geodata.products.PRODUCTS`.
    """
    candidates, problems = _roofs_alone(candidates)
    series: list[Series] = []
    by_stem: dict[tuple[str, str, str], Series] = defaultdict(list)
    for candidate in candidates:
        by_stem[candidate.role, candidate.key, candidate.stem.casefold()].append(candidate)
    for key in sorted(by_stem):
        series += _series(by_stem[key])
    for parts in series:
        problems += _gaps(parts)
    series, more = _without_copies(series)
    problems += more
    kept: list[Series] = []
    for role in sorted({parts[0].role for parts in series}):
        of_role = [parts for parts in series if parts[0].role == role]
        if role in {"weather", "terrain", "ndvi"} or any(parts[0].spec for parts in of_role):
            kept += of_role
            continue
        chosen, more = _newest(of_role)
        kept += chosen
        problems += more
    return _datasets(kept), problems


def _roofs_alone(candidates: Sequence[Candidate]) -> tuple[list[Candidate], list[Problem]]:
    """Leave the buildings of city models to the source that has buildings, where there is one."""
    others = any(c.role == "buildings" and c.part.kind != "city" for c in candidates)
    second = [c for c in candidates if others and c.role == "buildings" and c.part.kind == "city"]
    kept = [c for c in candidates if c not in second]
    return kept, [problem("city_second", c.look.member.path) for c in second]


def _series(same_stem: Series) -> list[Series]:
    """Return the deliveries among layers with one stem; several of one number in different folders are different ones."""
    ordered = sorted(same_stem, key=lambda c: (c.number, c.look.member.path, c.look.layer or ""))
    if len({c.number for c in ordered}) == len(ordered):
        return [ordered]
    by_folder: dict[str, Series] = defaultdict(list)
    for candidate in ordered:
        by_folder[candidate.look.member.folder].append(candidate)
    return [by_folder[folder] for folder in sorted(by_folder)]


def _gaps(parts: Series) -> list[Problem]:
    numbers = {c.number for c in parts}
    last = parts[-1]
    absent = sorted(set(range(1, max(numbers) + 1)) - numbers)
    if absent:
        names = [last.stem if number == 1 else f"{last.stem}({number})" for number in absent]
        return [problem("part_number_missing", last.look.member.path, ", ".join(names))]
    if last.look.rows == FULL_PART and last.part.kind == "vector":
        return [problem("part_full", last.look.member.path, f"{FULL_PART:,}")]
    return []


def _without_copies(series: list[Series]) -> tuple[list[Series], list[Problem]]:
    seen: dict[tuple, Series] = {}
    kept, problems = [], []
    for parts in series:
        content = (
            parts[0].role,
            parts[0].key,
            parts[0].vintage,
            tuple((c.look.rows, c.look.fields, c.look.bounds, c.look.member.size) for c in parts),
        )
        if content in seen and _same_bytes(parts, seen[content]):
            problems.append(problem("same_data", parts[0].look.member.path, labels(seen[content])))
        else:
            seen.setdefault(content, parts)
            kept.append(parts)
    return kept, problems


def _same_bytes(one: Series, other: Series) -> bool:
    for a, b in zip(one, other, strict=True):
        with a.look.member.open() as left, b.look.member.open() as right:
            while True:
                chunk = left.read(1 << 20)
                if chunk != right.read(1 << 20):
                    return False
                if not chunk:
                    break
    return True


def _newest(series: list[Series]) -> tuple[list[Series], list[Problem]]:
    """Keep, of deliveries that cover one place, the preferred product and of that the newest edition."""
    rank = {product.key: number for number, product in enumerate(PRODUCTS)}
    names = sorted(series, key=lambda parts: parts[0].look.member.path)
    newest_first = sorted(names, key=lambda parts: parts[0].vintage, reverse=True)
    ordered = sorted(newest_first, key=lambda parts: rank.get(parts[0].key, len(rank)))
    kept: list[Series] = []
    problems: list[Problem] = []
    for parts in ordered:
        rivals = [k for k in kept if (k[0].key, k[0].vintage) != (parts[0].key, parts[0].vintage)]
        state, winners = _covered(parts, rivals)
        if state == "wholly":
            code = "older_edition" if winners[0][0].key == parts[0].key else "other_product"
            detail = ", ".join(f"{labels(w)} {w[0].vintage}".strip() for w in winners)
            problems += [problem(code, c.look.member.path, detail) for c in parts]
            continue
        if state == "partly by code":
            problems.append(problem("editions_mixed", parts[0].look.member.path, labels(c for w in winners for c in w)))
        elif state == "partly by extent":
            detail = labels(c for w in winners for c in w)
            problems.append(problem("editions_overlap", parts[0].look.member.path, detail))
        kept.append(parts)
    return kept, problems


def _covered(parts: Series, rivals: list[Series]) -> tuple[str, list[Series]]:
    """Return whether ``parts`` are covered by ``rivals`` 'wholly', 'partly by code', 'partly by extent' or 'not'."""
    shape = _extent(parts)
    # tables lie nowhere: only the municipalities of their codes tell
    touching = [*rivals] if parts[0].role in TABLE_ROLES else []
    if shape is not None and not touching:
        for rival in rivals:
            other = _extent(rival)
            if other is not None and shape.intersection(other).area > 0:
                touching.append(rival)
    if not touching:
        return "not", []
    own = _regions(parts)
    theirs = [_regions(rival) for rival in touching]
    if own and all(theirs):
        shared = [rival for rival, regions in zip(touching, theirs, strict=True) if regions & own]
        if not shared:
            return "not", []
        return ("wholly" if own <= frozenset().union(*theirs) else "partly by code"), shared
    if shape is None:
        return "not", []
    # a province's box reaches far into its neighbours: where codes are known, they say what is covered
    grounds = zip(touching, theirs, strict=True)
    union = shapely.union_all([ground_of(codes, shape) if codes else _extent(rival) for rival, codes in grounds])
    share = shape.intersection(union).area / shape.area if shape.area > 0 else 1.0
    if share >= _COVERED:
        return "wholly", touching
    # sheets share their seams
    return ("partly by extent", touching) if share > 0.05 else ("not", [])


def _extent(parts: Series) -> BaseGeometry | None:
    boxes = [box for box in (lonlat_box(c.part) for c in parts) if box is not None]
    return shapely.union_all(shapely.box(*np.array(boxes).T)) if boxes else None


def _regions(parts: Series) -> frozenset[str]:
    """Return the five-digit codes of all municipalities of a delivery; empty if it carries no codes."""
    found: set[str] = set()
    for candidate in parts:
        if candidate.regions is None:
            candidate.regions = _read_regions(candidate)
        found |= candidate.regions
    return frozenset(found)


def _read_regions(candidate: Candidate) -> frozenset[str]:
    product, look = candidate.product, candidate.look
    if product is None or product.region_column is None:
        return frozenset()
    names = product.resolve_columns(look.fields).get(product.region_column)
    if not names:
        return frozenset()
    table = next((c for c in look.companions if c.suffix == ".dbf"), None)
    codes: set[str] = set()
    if table is not None and look.encoding is not None:
        with table.open() as stream:
            header = dbf.read_header(stream)
            column = next(f for f in header.fields if decode(f.name, look.encoding) == names[0])
            for block in dbf.read_blocks(stream, header):
                codes |= {
                    bytes(v).decode("ascii", "replace") for v in np.unique(dbf.column(block, column).astype("S5"))
                }
    else:
        _, arrow = pyogrio.read_arrow(look.member.gdal_path, layer=look.layer, columns=[names[0]], read_geometry=False)
        codes = set(as_text(arrow[names[0]]).dropna().str.slice(0, 5).unique())
    return frozenset(code for code in codes if len(code) == 5 and code.isdigit())


def _datasets(series: list[Series]) -> list[Dataset]:
    """Return one dataset for each role, product and vintage; rasters also by cell size, weather files one by one."""
    groups: dict[tuple, list[Candidate]] = defaultdict(list)
    for number, parts in enumerate(series):
        for c in parts:
            key: tuple = (c.role, c.key, c.vintage)
            if isinstance(c.look.sample, RasterSample):
                # finer terrain first
                key = (c.role, c.key, f"{c.look.sample.cell_size:016.6f}", c.part.crs)
            elif isinstance(c.look.sample, WeatherSample):
                # measured years of one station belong together; every other weather file is a year of its own
                several = c.look.sample.format == "KMA_ASOS"
                key = (c.role, c.key, c.look.sample.station if several else str(number))
            groups[key].append(c)
    datasets = []
    for members in groups.values():
        first = members[0]
        spec, product = first.spec, first.product
        datasets.append(
            Dataset(
                product=first.key,
                role=first.role,
                parts=tuple(c.part for c in members),
                columns=dict(spec.columns) if spec else {},
                nodata=spec.nodata if spec else None,
                vintage=(spec.vintage if spec else "") or max(c.vintage for c in members),
                licence=(spec.licence if spec else "") or (product.licence if product else ""),
                attribution=product.attribution if product else "",
                plan=first.plan,
            )
        )
    return _in_order(datasets, [groups[key] for key in groups])


def _in_order(datasets: list[Dataset], groups: list[list[Candidate]]) -> list[Dataset]:
    """Sort by role and product, the newest first; terrain the finest first."""
    rank = {product.key: number for number, product in enumerate(PRODUCTS)}

    def place(pair: tuple[Dataset, list[Candidate]]) -> tuple:
        dataset, members = pair
        sample = members[0].look.sample
        fineness = sample.cell_size if isinstance(sample, RasterSample) else 0.0
        if isinstance(sample, WeatherSample):
            # a station abroad is used only if there is no other
            fineness = float(not (KOREA[0] <= sample.longitude <= KOREA[2] and KOREA[1] <= sample.latitude <= KOREA[3]))
        age = -int((dataset.vintage.replace("-", "") + "0" * 8)[:8])
        return (dataset.role, rank.get(dataset.product, len(rank)), fineness, age, dataset.parts[0].data_source)

    return [dataset for dataset, _ in sorted(zip(datasets, groups, strict=True), key=place)]
