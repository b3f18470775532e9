"""The table of all products in ``docs/sources.md``, written from the recognition table: ``python -m geodata.products.document``."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from geodata.products import PRODUCTS, Product

ROOT = Path(__file__).parent.parent.parent
DOCUMENT = ROOT / "docs" / "sources.md"
TESTS = ROOT / "tests"
TESTS_LINE = "* tests: "
TOLD_TESTS = 4
"""So many of the tests of one product are named."""

_HEAD = """\
# Sources · 자료

What an inbox may hold: one entry for each product in `geodata/products/`. A file is recognised by its columns and content,
never by its name. Columns are compared without case, blanks, underscores and units; of several the first that is filled
counts, row by row. Any other file is taken under `sources` of the site file, with its columns mapped there. Shapefiles come
in CP949 or UTF-8 with or without `.cpg`, split into parts `(2)`, `(3)`, and zipped; zips are read as they are.

Written by `python -m geodata.products.document`; a test holds it to the code.
"""


def covering_tests(folder: Path) -> dict[str, list[str]]:
    """Return for each product key the tests that name it, as ``file::test``; those that are called after it come first.

    A test names a product if the key stands as a text in its body or its parameters, or if it is called after it.
    """
    found: dict[str, set[tuple[int, str]]] = defaultdict(set)
    keys = {product.key for product in PRODUCTS}
    for path in sorted(folder.rglob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
                continue
            texts = {
                part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)
            }
            for key in keys:
                called = key.casefold() in node.name
                if called or key in texts:
                    found[key].add((0 if called else 1, f"{path.relative_to(folder.parent).as_posix()}::{node.name}"))
    return {key: [name for _, name in sorted(names)] for key, names in found.items()}


def document(covered_by: Mapping[str, Sequence[str]]) -> str:
    """Return the text of ``docs/sources.md``: every product with its columns, editions, licence and tests.

    Parameters
    ----------
    covered_by
        Names of tests by product key.
    """
    lines = [
        _HEAD,
        "| product | role | kind | agency | editions told apart by | licence |",
        "|---|---|---|---|---|---|",
    ]
    for product in PRODUCTS:
        cells = (
            f"[{product.key}](#{_anchor(product.key)}) {product.ko}",
            product.role or "–",
            product.kind,
            product.agency,
            _editions(product),
            product.licence or "not stated",
        )
        lines.append("| " + " | ".join(_cell(text) for text in cells) + " |")
    for product in PRODUCTS:
        lines += ["", *_section(product, covered_by.get(product.key, ()))]
    return "\n".join([*lines, ""])


def write_document() -> Path:
    """Write ``docs/sources.md`` of this checkout and return its path."""
    DOCUMENT.write_text(document(covering_tests(TESTS)), encoding="utf-8")
    return DOCUMENT


def _section(product: Product, tests: Sequence[str]) -> list[str]:
    lines = [
        f"## {product.key}",
        "",
        f"{product.ko} · {product.en}",
        "",
        f"* download · 받는 곳: {product.download}",
        f"* licence · 이용조건: {product.licence or 'not stated'}",
        f"* attribution · 출처표시: {product.attribution or '–'}",
        f"* editions · 판: {_editions(product)}",
        TESTS_LINE + (", ".join(f"`{name}`" for name in tests[:TOLD_TESTS]) or "–"),
    ]
    if product.columns:
        lines += ["", "| our column | columns of the file |", "|---|---|"]
        lines += [f"| `{ours}` | {_names(theirs)} |" for ours, theirs in product.columns.items()]
        if product.pnu_parts:
            parts = "; ".join(f"{part} {_names(theirs)}" for part, theirs in product.pnu_parts.items())
            lines.append(f"| `pnu` | put together from {_cell(parts)} |")
    return lines


def _editions(product: Product) -> str:
    told = [f"{count} columns: {what}" for count, what in sorted(product.vintages.items())]
    if product.is_page:
        return "none: every file is a page, and pages add up"
    date = f"date in {_names(product.vintage_columns)}" if product.vintage_columns else "date in the file name"
    return "; ".join([*told, date])


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _anchor(key: str) -> str:
    return key.casefold()


if __name__ == "__main__":
    print(write_document())
