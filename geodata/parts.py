"""From a look into a file to a part of a dataset: its coordinate reference system, its date and its place in a series."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
import pyproj

from geodata import crs as crs_module
from geodata.archive import Member
from geodata.inventory import LayerPart, Problem, SourceFile
from geodata.pnu import compose_pnu
from geodata.probe import Look, companion
from geodata.problems import problem
from geodata.products.model import QUANTITIES, TABLE_ROLES, CitySample, Product, TableSample, VectorSample, first_filled
from geodata.site import Role, SourceSpec

_NUMBERED = re.compile(r"^(?P<stem>.+?)\s*\((?P<number>[0-9]{1,2})\)$")
_DATE = re.compile(
    r"(?<![0-9])(?P<y>(?:19|20)[0-9]{2})(?:[-.]|년[+ _]?)?(?P<m>0[1-9]|1[0-2])"
    r"(?:[-.]?(?P<d>0[1-9]|[12][0-9]|3[01]))?(?![0-9])"
)
_CHANGE_ONLY = re.compile(r"^ch_d[0-9]{3}", re.IGNORECASE)
_SCIENTIFIC = r"[0-9]\.[0-9]+[eE][+]?[0-9]+"
_WITH_PRJ = (".shp", ".tif", ".tiff", ".img", ".asc", ".xyz", ".txt")


UNDECIDED = "undecided"
"""Stands for the origin of a system that no file tells, but that places of the records may tell."""


@dataclass
class Candidate:
    """A layer that is going to be part of a dataset."""

    look: Look
    role: Role
    product: Product | None
    """None: only the site file explains it."""
    part: LayerPart
    vintage: str = ""
    spec: SourceSpec | None = None
    plan: str = ""
    """The scenario whose own file it is; empty for the files of every scenario."""
    stem: str = ""
    number: int = 1
    regions: frozenset[str] | None = field(default=None)
    """Municipalities of all its records, once they were needed."""

    @property
    def key(self) -> str:
        """Return the product's key."""
        return self.product.key if self.product is not None else "SITE_FILE"

    @property
    def label(self) -> str:
        """Return its name for messages."""
        return self.look.member.path + (f" ({self.look.layer})" if _says_layer(self.look) else "")


def _says_layer(look: Look) -> bool:
    return look.layer is not None and look.layer.casefold() != look.member.stem.casefold()


def part_number(stem: str) -> tuple[str, int]:
    """Return the stem without its part number, and the number: ``("A", 2)`` for ``A(2)``, 1 where there is none."""
    match = _NUMBERED.match(stem)
    return (match["stem"], int(match["number"])) if match else (stem, 1)


def is_change_only(member: Member) -> bool:
    """Return whether the file belongs to a delivery of changes (변동분), which by its content looks like a full one."""
    return any(_CHANGE_ONLY.match(name) for name in PurePosixPath(member.path).parts)


def vintage_of(look: Look, product: Product | None, newest: str = "") -> str:
    """Return the date of the data, ISO 8601: ``newest`` of a table, else from its date column, else from file names."""
    if product is not None and product.is_page:
        return ""
    if _iso(newest):
        return _iso(newest)
    if product is not None and isinstance(look.sample, VectorSample):
        by_fold = {name.casefold(): name for name in look.sample.values.columns}
        for wanted in product.vintage_columns:
            name = by_fold.get(wanted.casefold())
            dates = [] if name is None else [_iso(str(v)) for v in look.sample.values[name].dropna().unique()]
            if any(dates):
                return max(dates)
    for name in reversed(PurePosixPath(look.member.path).parts):
        date = _iso(name)
        if date:
            return date
    return ""


def _iso(text: str) -> str:
    dates = ["-".join(part for part in match.group("y", "m", "d") if part) for match in _DATE.finditer(text)]
    return max(dates, default="")


def has_place(look: Look, role: Role) -> bool:
    """Return whether a file's coordinates are going to be used, so that their system has to be known."""
    return look.format not in {"weather", "table"} and role not in TABLE_ROLES


def abroad(look: Look) -> str:
    """Return what a city model that lies outside Korea by its own system is; '' for any other file."""
    if look.format != "city" or not len(look.boxes):
        return ""
    own = crs_module.identify(look.crs_definition)
    if own is None or own in crs_module.KOREAN_CRS:
        return ""
    if not crs_module.judge(own, look.boxes).refused:
        return ""
    version = look.sample.version if isinstance(look.sample, CitySample) else ""
    return f"CityJSON {version}, {own}"


def decide_crs(
    look: Look, product: Product | None, given: str | None, members: Mapping[str, Member]
) -> tuple[str | None, str, list[Problem]]:
    """Return a layer's CRS as ``EPSG:nnnn``, how it is known, and what is wrong with it.

    In this order: the site file, the file's own definition, the `.prj` of the first part of a series or one that
    belongs to no file of the bundle. Whatever is found has to agree with the numbers. Where a shapefile with codes has none
    of these, the origin is `UNDECIDED` and `geodata.crs_overlap` goes on.
    """
    path = look.member.path
    problems: list[Problem] = []
    own = crs_module.identify(look.crs_definition)
    found, origin = own, "prj" if look.format == "shapefile" else "file"
    if given is not None:
        found, origin = crs_module.identify(given), "site file"
        if found is None:
            return None, "", [problem("crs_unknown", path, given)]
        if own is not None and own != found:
            problems.append(problem("crs_overruled", path, f"{own} → {found}"))
    elif look.crs_definition is not None and own is None:
        return None, "", [problem("crs_unknown", path, " ".join(look.crs_definition.split())[:120])]
    elif found is None:
        found, origin = _shared_prj(look.member, members), "shared prj"
    if found is None and look.format == "shapefile" and _codes(look, product) is not None:
        return None, UNDECIDED, problems
    if found is None:
        would = _would_fit(look, product)
        return None, "", [problem("crs_missing", path, f"; {would}" if would else "")]
    verdict = crs_module.judge(found, look.boxes, _codes(look, product))
    if verdict.refused:
        return None, "", [*problems, problem("crs_contradicted", path, f"{origin} {found}: {verdict.why}")]
    if verdict.why:
        problems.append(problem("codes_elsewhere", path, verdict.why))
    return found, origin, problems


def _shared_prj(member: Member, members: Mapping[str, Member]) -> str | None:
    stem, number = part_number(member.stem)
    if number > 1:
        first = members.get(f"{member.folder}/{stem}.prj".removeprefix("./").casefold())
        if first is not None:
            return crs_module.identify(first.read().decode("utf-8", errors="replace"))
    folders = {str(parent) for parent in PurePosixPath(member.path).parents}
    shared = [
        other
        for other in members.values()
        if other.suffix == ".prj"
        and (other.folder in folders or (member.archive and other.archive == member.archive))
        and not any(companion(other, suffix, members) for suffix in _WITH_PRJ)
    ]
    found = {crs_module.identify(other.read().decode("utf-8", errors="replace")) for other in shared}
    return next(iter(found)) if len(found) == 1 else None


def _would_fit(look: Look, product: Product | None) -> str:
    """Return the systems in which the numbers make sense, as a help for who has to decide."""
    boxes, listed = look.boxes, _codes(look, product)
    if not len(boxes):
        return ""
    fitting = [code for code in crs_module.KOREAN_CRS if not crs_module.judge(code, boxes, listed).why]
    return f"its numbers would fit {', '.join(fitting[:4])}" if fitting else ""


def _codes(look: Look, product: Product | None) -> list[str | None] | None:
    """Return the legal dong codes or PNUs of the records whose boxes were sampled."""
    if product is None or not isinstance(look.sample, VectorSample):
        return None
    rows = look.box_rows[look.box_rows < len(look.sample.values)]
    if len(rows) < len(look.box_rows):
        return None
    values = place_codes(look.sample.values.iloc[rows], product)
    if values is None:
        return None
    return [None if value != value else str(value) for value in values]  # noqa: PLR0124 - NaN is not itself


def place_codes(values: pd.DataFrame, product: Product) -> pd.Series | None:
    """Return the PNU of each row of the file's own columns ``values``, else its legal dong code; None if it says neither."""
    columns = product.resolve_columns(tuple(values.columns))
    names = columns.get("pnu") or columns.get("dong_code")
    if names:
        return first_filled(values, names)
    pieces = product.resolve_pnu_parts(tuple(values.columns))
    if not pieces:
        return None
    return compose_pnu(pd.DataFrame({piece: values[name] for piece, name in pieces.items()}))


def lost_digits(look: Look, product: Product | None) -> list[Problem]:
    """Return a problem for each code column whose values are floating-point numbers."""
    if product is None or not isinstance(look.sample, VectorSample | TableSample):
        return []
    columns = product.resolve_columns(look.sample.fields)
    names = sorted({name for ours, theirs in columns.items() if ours not in QUANTITIES for name in theirs})
    values = look.sample.values
    lost = [name for name in names if values[name].str.fullmatch(_SCIENTIFIC, na=False).any()]
    return [problem("codes_lost_digits", look.member.path, name) for name in lost]


def layer_part(look: Look, files: Mapping[str, SourceFile], crs: str | None, origin: str) -> LayerPart:
    """Return ``look`` as plain data; the files read together with it are told by `geodata.inbox.dataset_files`."""
    member = look.member
    file = files[member.archive or member.path]
    kinds = {"shapefile": "vector", "xyz": "raster"}
    return LayerPart.model_validate(
        {
            "file": file,
            "data_source": member.path,
            "layer": look.layer,
            "kind": kinds.get(look.format, look.format),
            "encoding": look.encoding,
            "crs": crs,
            "crs_origin": origin,
            "rows": look.rows,
            "fields": look.fields,
            "bounds": look.bounds,
        }
    )


def lonlat_box(part: LayerPart) -> np.ndarray | None:
    """Return the extent of a part in longitude and latitude, shape (4,); None where it has none."""
    if part.bounds is None or part.crs is None:
        return None
    transformer = pyproj.Transformer.from_crs(part.crs, "EPSG:4326", always_xy=True)
    box = np.array(transformer.transform_bounds(*part.bounds, densify_pts=21))
    return box if np.isfinite(box).all() else None


def labels(candidates: Iterable[Candidate]) -> str:
    """Return the names of ``candidates`` for a message."""
    return ", ".join(dict.fromkeys(c.label for c in candidates))
