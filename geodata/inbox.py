"""What lies in the inbox: every file hashed, recognised by its content, and grouped into datasets.

Nothing is changed and nothing is unpacked. A bad file never stops the look at the others: it becomes a `Problem`, and
`refuse` turns fatal problems into one error.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from geodata import archive
from geodata.archive import Member, check_content, shown
from geodata.crs_overlap import settle_crs
from geodata.errors import InputError
from geodata.grouping import assemble
from geodata.inventory import Dataset, Inventory, Problem, SourceFile, UnusedLayer
from geodata.named_sources import take_named
from geodata.parts import (
    UNDECIDED,
    Candidate,
    abroad,
    decide_crs,
    has_place,
    is_change_only,
    layer_part,
    lost_digits,
    part_number,
    vintage_of,
)
from geodata.probe import SIDECARS, Look, find_format, look, measure
from geodata.problems import problem
from geodata.products import Product, recognise
from geodata.products.ndvi import lone_bands
from geodata.site import OPTIONAL_ROLES, ROLES, PlanSpec, Role, SourceSpec
from geodata.table_file import survey

_CLUTTER = frozenset({"thumbs.db", "desktop.ini", "__macosx"})
_TABLES = (".csv", ".dbf", ".txt", ".xyz", ".xlsx", ".xls")
_MAPS = (".shp", ".gml", ".kml", ".kmz", ".dxf", ".dwg", ".tab", ".mif", ".nc", ".las", ".laz", ".city.json", ".gdb")


def take_inventory(
    inbox: Path,
    sources: Mapping[Role, SourceSpec] | None = None,
    plans: Mapping[str, PlanSpec] | None = None,
) -> Inventory:
    """Look at everything in ``inbox`` and say what it is.

    A role named in ``sources`` is taken from there only, and files named in ``plans`` serve that plan only. A file that
    cannot be used yields a problem, never an error.

    Raises
    ------
    InputError
        If the inbox does not exist or holds no file.
    """
    sources = sources or {}
    on_disk, problems = _files_of(inbox)
    files = _hashed(on_disk)
    members, more = _members(on_disk, files)
    problems += more
    by_path = {member.path.casefold(): member for member in members}
    candidates: list[Candidate] = []
    taken: set[str] = set()
    for role in ROLES:
        if role in sources:
            found, chosen, more = take_named(inbox, role, sources[role], by_path, files)
            candidates += found
            problems += more
            taken |= {member.path for member in chosen}
    for name, role, spec in plan_sources(plans or {}):
        found, chosen, more = take_named(inbox, role, spec, by_path, files)
        candidates += [replace(one, plan=name) for one in found]
        problems += more
        taken |= {member.path for member in chosen}
    ignored: set[str] = set()
    claimed: set[str] = set()
    unused: list[UnusedLayer] = []
    for member in members:
        if member.path in taken:
            claimed.add(member.archive or member.path)
            continue
        found, more, is_known = _recognised(member, by_path, files, sources, unused)
        candidates += found
        problems += more
        (claimed if is_known else ignored).add(member.archive or member.path)
    candidates, more = settle_crs(candidates)
    problems += more
    datasets: list[Dataset] = []
    for name in ("", *(plans or {})):
        found_here, more = assemble([one for one in candidates if one.plan == name])
        datasets += found_here
        problems += more
    problems += _damaged_content(candidates, datasets)
    problems += lone_bands(datasets)
    unclaimed = sorted(ignored - claimed - {p.path for p in problems if p.fatal})
    beside = {part.path for c in candidates for part in c.look.companions}
    unclaimed = [name for name in unclaimed if name not in beside and not _is_sidecar(name)]
    problems += [hint for name in unclaimed for hint in _hint(name, members, by_path)]
    return Inventory(
        files=tuple(files[name] for name in sorted(files)),
        datasets=tuple(datasets),
        problems=tuple(sorted(set(problems), key=lambda p: (p.path, not p.fatal, p.what))),
        unused=tuple(sorted(unused, key=lambda layer: (layer.data_source, layer.product))),
        ignored=tuple(unclaimed),
    )


def plan_sources(plans: Mapping[str, PlanSpec]) -> list[tuple[str, Role, SourceSpec]]:
    """Return every file that a plan names: plan, role and how to read it."""
    found: list[tuple[str, Role, SourceSpec]] = []
    for name, plan in plans.items():
        if plan.blocks is not None:
            found.append((name, "plan_blocks", plan.blocks))
        found += [(name, "buildings", design) for design in plan.designs]
    return found


def hash_files(inbox: Path) -> tuple[SourceFile, ...]:
    """Return name, size and SHA-256 of every file of ``inbox``, sorted by name, without looking into any of them.

    Raises
    ------
    InputError
        If the inbox does not exist or holds no file.
    """
    on_disk, _ = _files_of(inbox)
    return tuple(_hashed(on_disk).values())


def refuse_changed(inbox: Path, files: Iterable[SourceFile]) -> None:
    """Raise `InputError` if one of ``files`` is no longer what it was when it was listed: nothing may be made of half a file.

    Raises
    ------
    InputError
        If a file changed or went away; the message names all of them.
    """
    listed = set(files)
    if not listed:
        return
    names = {file.path for file in listed}
    on_disk = {name: path for name, path in _walk(inbox)[0].items() if name in names}
    try:
        now = _hashed(on_disk)
    except FileNotFoundError as error:
        raise InputError(
            f"{error.filename} went away after this run had listed it. Run again · 파일이 없어졌습니다"
        ) from error
    changed = sorted({file.path for file in listed if now.get(file.path) != file})
    if changed:
        raise InputError(
            f"{', '.join(changed)} changed after this run had listed it. Wait until it is copied completely, then run "
            "again · 목록을 만든 뒤 파일이 바뀌었습니다. 복사가 끝난 뒤 다시 실행하세요"
        )


def refuse(inventory: Inventory) -> None:
    """Raise `InputError` if the inventory holds a fatal problem; the message lists all of them.

    Raises
    ------
    InputError
        What is wrong with which file, and what to do about it.
    """
    fatal = [p for p in inventory.problems if p.fatal]
    if fatal:
        lines = "\n".join(f"  {p.path}: {p.what}\n    → {p.remedy}" for p in fatal)
        raise InputError(f"{len(fatal)} file(s) of the inbox cannot be used:\n{lines}")


def files_not_read(inventory: Inventory) -> tuple[SourceFile, ...]:
    """Return the files of the inbox that no dataset is read from."""
    read = {file.path for dataset in inventory.datasets for file in dataset_files(inventory, dataset)}
    return tuple(file for file in inventory.files if file.path not in read)


def dataset_files(inventory: Inventory, dataset: Dataset) -> tuple[SourceFile, ...]:
    """Return every file of the inbox that ``dataset`` is read from, tables and projections beside it included."""
    wanted = set()
    for part in dataset.parts:
        path = part.file.path
        wanted.add(path.casefold())
        if part.data_source == path:
            stem = path[: -len(PurePosixPath(path).suffix)] if PurePosixPath(path).suffix else path
            wanted |= {f"{stem}{suffix}".casefold() for suffix in SIDECARS}
    return tuple(file for file in inventory.files if file.path.casefold() in wanted)


def _files_of(inbox: Path) -> tuple[dict[str, Path], list[Problem]]:
    if not inbox.is_dir():
        raise InputError(
            f"inbox {inbox} does not exist. Create the folder and put the agencies' files into it, or correct `inbox` in "
            "the site file · 입력 폴더가 없습니다. 폴더를 만들고 자료를 넣으세요"
        )
    on_disk, problems = _walk(inbox)
    if not on_disk:
        raise InputError(
            f"inbox {inbox} is empty: an empty inbox is not an empty town. Put the agencies' files into it, or make a demo "
            "with: twin demo DIR · 입력 폴더가 비어 있습니다"
        )
    return on_disk, problems


def _walk(inbox: Path) -> tuple[dict[str, Path], list[Problem]]:
    """Return all files by the name they are shown by; linked folders are followed, but never in circles."""
    found: dict[str, Path] = {}
    problems: list[Problem] = []
    seen = set()
    for folder, subfolders, names in os.walk(inbox, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            subfolders.clear()
            continue
        seen.add(real)
        subfolders[:] = sorted(s for s in subfolders if not s.startswith(".") and s.casefold() not in _CLUTTER)
        for name in sorted(names):
            path = Path(folder) / name
            if name.startswith((".", "~$")) or name.casefold() in _CLUTTER or not path.is_file():
                continue
            key = "/".join(shown(part) for part in path.relative_to(inbox).parts)
            if key in found:
                problems.append(problem("same_name", key))
            else:
                found[key] = path
    return dict(sorted(found.items())), problems


def _hashed(on_disk: Mapping[str, Path]) -> dict[str, SourceFile]:
    files = {}
    for name, path in on_disk.items():
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        files[name] = SourceFile(path=name, size=path.stat().st_size, sha256=digest)
    return files


def _members(on_disk: Mapping[str, Path], files: Mapping[str, SourceFile]) -> tuple[list[Member], list[Problem]]:
    members: list[Member] = []
    problems: list[Problem] = []
    for name, path in on_disk.items():
        if files[name].size == 0:
            if PurePosixPath(name).suffix.casefold() not in {".txt", ".cpg", ".lock", ".md"}:
                problems.append(problem("empty_file", name))
            continue
        named_zip = name.casefold().endswith(".zip")
        if archive.is_zip(path) and not name.casefold().endswith((".xlsx", ".docx", ".pptx", ".hwpx", ".kmz", ".qgz")):
            found, more = archive.archive_members(path, name)
            members += found
            problems += more
            if not named_zip and found:
                problems.append(problem("zip_misnamed", name))
        elif named_zip:
            problems.append(problem("zip_damaged", name, "it does not begin like a zip"))
        else:
            members.append(Member(path=name, outer=path, size=files[name].size))
    return members, problems


def _recognised(
    member: Member,
    members: Mapping[str, Member],
    files: Mapping[str, SourceFile],
    sources: Mapping[Role, SourceSpec],
    unused: list[UnusedLayer],
) -> tuple[list[Candidate], list[Problem], bool]:
    """Return the layers of ``member`` that a product claims, what is wrong with them, and whether the file is known.

    Layers of products without a role are added to ``unused``.
    """
    if _is_sidecar(member.path):
        return [], [], False
    candidates: list[Candidate] = []
    problems: list[Problem] = []
    is_known = False
    for found in look(member, members):
        if found.sample is None:
            problems += found.problems
            continue
        product = recognise(found.sample)
        if product is None:
            continue
        is_known = True
        if is_change_only(member):
            problems.append(problem("change_only", member.path))
            continue
        if product.role is None:
            unused.append(_unused(found, product))
            continue
        if product.role in sources:
            problems.append(problem("other_product", member.path, sources[product.role].path.as_posix()))
            continue
        foreign = abroad(found)
        if foreign:
            problems.append(problem("city_elsewhere", member.path, foreign))
            unused.append(_unused(found, product))
            continue
        measure(found)
        problems += found.problems
        candidate, more = _candidate(found, members, files)
        problems += more
        candidates += candidate
        if not candidate and found.format == "city":
            unused.append(_unused(found, product))
    return candidates, problems, is_known


def _unused(found: Look, product: Product) -> UnusedLayer:
    member = found.member
    holder = member.archive or member.path
    return UnusedLayer(product=product.key, data_source=member.path, file=holder, rows=found.rows)


def _candidate(
    found: Look, members: Mapping[str, Member], files: Mapping[str, SourceFile]
) -> tuple[list[Candidate], list[Problem]]:
    product = recognise(found.sample) if found.sample is not None else None
    if product is None or product.role is None:
        return [], []
    crs, origin = None, ""
    problems: list[Problem] = []
    if has_place(found, product.role):
        crs, origin, problems = decide_crs(found, product, None, members)
        if crs is None and origin != UNDECIDED:
            # a city model stands in only where no other source of buildings is, so it refines too
            refines = product.role in OPTIONAL_ROLES or found.format == "city"
            return [], [_left_out(p) for p in problems] if refines else problems
    problems += lost_digits(found, product)
    newest, regions = "", None
    if found.layout is not None:
        columns = product.resolve_columns(found.fields)
        try:
            found.rows, newest, regions = survey(found.member, found.layout, product, columns)
        except InputError as error:
            return [], [*problems, problem("unreadable", found.member.path, error)]
    if found.rows == 0:
        problems.append(problem("empty_layer", found.member.path))
    stem, number = part_number(found.member.stem)
    candidate = Candidate(
        found,
        product.role,
        product,
        layer_part(found, files, crs, origin),
        vintage=vintage_of(found, product, newest),
        stem=f"{stem}/{found.layer or ''}" if found.format == "vector" else stem,
        number=number,
        regions=regions,
    )
    return [candidate], problems


def _left_out(found: Problem) -> Problem:
    """Return the problem of a layer that only refines others: it is left out, and the run goes on."""
    return found.model_copy(update={"fatal": False, "what": f"left out: {found.what}"})


def _damaged_content(candidates: list[Candidate], datasets: list[Dataset]) -> list[Problem]:
    """Check the members of archives that are going to be read, to their last byte."""
    used = {part.data_source for dataset in datasets for part in dataset.parts}
    problems = []
    for candidate in candidates:
        if candidate.part.data_source in used:
            wrong = check_content([candidate.look.member, *candidate.look.companions])
            if wrong:
                problems.append(problem("zip_damaged", candidate.look.member.path, wrong))
    return problems


def _is_sidecar(name: str) -> bool:
    return any(name.casefold().endswith(suffix) for suffix in SIDECARS)


def _hint(name: str, members: list[Member], by_path: Mapping[str, Member]) -> list[Problem]:
    """Return a word on what an ignored map or table is; other files are passed over in silence."""
    columns: list[str] = []
    is_data = name.casefold().endswith(_TABLES + _MAPS) or name.casefold() not in by_path
    for member in members:
        if (member.archive or member.path) != name or _is_sidecar(member.path):
            continue
        if find_format(member.read(4096), member.suffix) is None:
            continue
        is_data = True
        if len(columns) < 3:
            for found in look(member, by_path):
                first = ", ".join(found.fields[:8]) + (" …" if len(found.fields) > 8 else "")
                columns.append(f"{member.stem}: {first or found.format}")
    if not is_data:
        return []
    return [problem("not_recognised", name, "; ".join(columns[:3]) or "no map, raster or weather file")]
