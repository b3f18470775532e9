"""Sources that the site file names: any file, any column names, for one role each."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from geodata.archive import Member, shown
from geodata.inventory import Problem, SourceFile
from geodata.parts import UNDECIDED, Candidate, decide_crs, has_place, layer_part, part_number, vintage_of
from geodata.probe import SIDECARS, Look, look, measure
from geodata.problems import problem
from geodata.products import recognise
from geodata.products.model import NEEDED, PLACE_TABLE_ROLES, RAW_COLUMNS, TABLE_ROLES, Product
from geodata.site import Role, SourceSpec
from geodata.table_file import survey

_KINDS: Mapping[Role, str] = {
    "terrain": "raster",
    "surface_model": "raster",
    "weather": "weather",
    "roof_planes": "city",
    "ndvi": "raster",
}
"""What a file of a role has to be; the others are vector files."""


def named_members(inbox: Path, spec: SourceSpec, members: Mapping[str, Member]) -> list[Member]:
    """Return the members that ``spec.path`` names: one file and its numbered parts, an archive's or a folder's content."""
    path = spec.path
    if path.is_absolute():
        try:
            path = path.resolve().relative_to(inbox.resolve())
        except ValueError:
            return []
    name = shown(path.as_posix()).removeprefix("./").rstrip("/").casefold()
    exact = members.get(name)
    if exact is None:
        return [member for key, member in members.items() if key.startswith(f"{name}/")]
    stem, _ = part_number(exact.stem)
    return [
        member
        for member in members.values()
        if member.folder == exact.folder and member.suffix == exact.suffix and part_number(member.stem)[0] == stem
    ]


def take_named(
    inbox: Path,
    role: Role,
    spec: SourceSpec,
    members: Mapping[str, Member],
    files: Mapping[str, SourceFile],
) -> tuple[list[Candidate], list[Member], list[Problem]]:
    """Return the layers of a source that the site file names, the members it takes, and what is wrong with it.

    A file that is a known product of that role needs no ``columns``; those that are given come before the product's.
    """
    chosen = named_members(inbox, spec, members)
    if not chosen:
        return [], [], [problem("source_missing", spec.path.as_posix(), role)]
    looks = [
        found
        for member in sorted(chosen, key=lambda m: m.path)
        if not any(member.path.casefold().endswith(suffix) for suffix in SIDECARS)
        for found in look(member, members, spec.encoding, spec.layer)
    ]
    products = {id(found): _product(found, role) for found in looks}
    if any(products.values()) and not spec.columns:
        looks = [found for found in looks if products[id(found)] is not None]
    wrong = [_wrong_columns(found, role, spec, products[id(found)]) for found in looks]
    fitting = [found for found, why in zip(looks, wrong, strict=True) if not why]
    problems: list[Problem] = []
    if not fitting:
        unreadable = [p for found in looks for p in found.problems if p.fatal]
        layer = spec.layer and f"{role}.layer: {spec.layer!r} is not in {spec.path.as_posix()}"
        nothing = layer or f"{role}.path: there is no map, raster or weather file that can be read"
        why = next((why for why in wrong if why), nothing)
        return [], chosen, unreadable or [problem("source_unusable", spec.path.as_posix(), why)]
    layers = [found.layer for found in fitting if found.member.path == fitting[0].member.path]
    if len(layers) > 1 and not all(products[id(found)] for found in fitting):
        what = f"{role}.layer: name one of the layers {', '.join(str(name) for name in layers)}"
        return [], chosen, [problem("source_unusable", spec.path.as_posix(), what)]
    candidates = []
    for found in fitting:
        product = products[id(found)]
        measure(found)
        problems += found.problems
        if any(p.fatal for p in found.problems):
            continue
        crs, origin = None, ""
        if has_place(found, role):
            crs, origin, more = decide_crs(found, product, spec.crs, members)
            problems += more
            if crs is None and origin != UNDECIDED:
                continue
        newest, regions = "", None
        if found.layout is not None:
            theirs = product.resolve_columns(found.fields) if product is not None else {}
            theirs |= {ours: (name,) for ours, name in spec.columns.items()}
            found.rows, newest, regions = survey(found.member, found.layout, product, theirs)
        stem, number = part_number(found.member.stem)
        candidates.append(
            Candidate(
                found,
                role,
                product,
                layer_part(found, files, crs, origin),
                vintage=spec.vintage or vintage_of(found, product, newest),
                spec=spec,
                stem=f"{PurePosixPath(found.member.folder)}/{stem}/{found.layer or ''}",
                number=number,
                regions=regions,
            )
        )
    # of a folder or an archive only what was taken is spoken for: its other layers may serve other roles
    used = [found.member for found in looks] if all(products[id(found)] for found in fitting) else chosen
    return candidates, used, problems


def _product(found: Look, role: Role) -> Product | None:
    product = recognise(found.sample) if found.sample is not None else None
    return product if product is not None and product.role == role else None


def _wrong_columns(found: Look, role: Role, spec: SourceSpec, product: Product | None) -> str:
    """Return what is wrong with ``columns`` of the site file for this layer, naming the key; '' if nothing is."""
    if found.sample is None:
        return f"{role}.path: {found.member.path} cannot be read"
    kind = _KINDS.get(role, "vector")
    is_kind = {"shapefile": "vector", "xyz": "raster"}.get(found.format, found.format)
    # contour lines and spot heights stand in for an elevation model
    if role == "terrain" and is_kind == "vector" and (product is not None or "elevation_m" in spec.columns):
        kind = is_kind
    is_city = role == "buildings" and is_kind == "city"
    if kind != is_kind and not is_city and not (role in TABLE_ROLES | PLACE_TABLE_ROLES and is_kind == "table"):
        lines = ", or contour lines with columns.elevation_m" if (role, is_kind) == ("terrain", "vector") else ""
        return f"{role}.path: this is a {is_kind} file, a {kind} file is needed{lines}"
    if kind != "vector" or is_city:
        return ""
    for ours, theirs in spec.columns.items():
        if ours not in RAW_COLUMNS[role]:
            return f"{role}.columns.{ours}: unknown; {_hint(ours, RAW_COLUMNS[role])}"
        if theirs not in found.fields:
            return f"{role}.columns.{ours}: the file has no column {theirs!r}; {_hint(theirs, found.fields)}"
    available = set(spec.columns) | set(product.resolve_columns(found.fields) if product else ())
    alternatives = NEEDED.get(role, ((),))
    if not any(set(wanted) <= available for wanted in alternatives):
        wanted = " or ".join(" with ".join(names) for names in alternatives)
        return f"{role}.columns: map {wanted} to columns of the file; it has {', '.join(found.fields)}"
    return ""


def _hint(name: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
