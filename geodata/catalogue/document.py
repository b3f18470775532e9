"""The data dictionary ``docs/data-dictionary.md``, written from the catalogue: ``python -m geodata.catalogue.document``."""

from __future__ import annotations

from pathlib import Path

from geodata.catalogue import PUBLISHED, Field, Layer

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "data-dictionary.md"
_HEAD = """\
# Data dictionary · 데이터 사전

Every layer of `twin.gpkg`, `comparison.gpkg` and `changes.gpkg` and every column, in the order in which they are published. A column marked *if computed* is there only when its sources were:
nothing stands in for it. Values are rounded to the decimals given. Written by `make docs` from `geodata/catalogue/`; a test holds it to the code.

계산된 경우에만 있는 열은 *if computed*로 표시합니다. 단위는 열 이름의 끝에 있습니다.
"""


def document() -> str:
    """Return the data dictionary as Markdown."""
    index = "\n".join(f"* [{layer.name}](#{layer.name}) {layer.ko} · {layer.en}" for layer in PUBLISHED.values())
    return "\n\n".join([_HEAD, index, *(_chapter(layer) for layer in PUBLISHED.values())]) + "\n"


def write_document() -> Path:
    """Write `DOCUMENT` anew and return its path."""
    DOCUMENT.write_text(document(), encoding="utf-8")
    return DOCUMENT


def _chapter(layer: Layer) -> str:
    facts = [
        f"geometry: {layer.geometry or 'none'}",
        f"key: `{layer.key}`" if layer.key else "no key",
        *(["in plans only"] if layer.planned_only else []),
    ]
    rows = "\n".join(_row(field) for field in layer.fields)
    return (
        f"## {layer.name}\n\n**{layer.ko} · {layer.en}** ({', '.join(facts)})\n\n{layer.about_ko}\n\n{layer.about_en}\n\n"
        f"| column | 한글 | English | type | unit | notes |\n|---|---|---|---|---|---|\n{rows}"
    )


def _row(field: Field) -> str:
    kind = field.kind if field.decimals is None else f"{field.kind}, {field.decimals} decimals"
    notes = [
        *(["if computed"] if not field.required else []),
        *(["never empty"] if not field.nullable else []),
        *([_range(field)] if field.minimum is not None or field.maximum is not None else []),
        *(["depends on shading"] if field.sunlit else []),
        *([f"values: {', '.join(f'{k} {c.ko} / {c.en}' for k, c in field.choices.items())}"] if field.choices else []),
        *([field.about_ko] if field.about_ko else []),
        *([field.about_en] if field.about_en else []),
    ]
    cells = (f"`{field.name}`", field.ko, field.en, kind, field.unit, "; ".join(notes))
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _range(field: Field) -> str:
    if field.minimum is not None and field.maximum is not None:
        return f"{field.minimum:g} to {field.maximum:g}"
    return f"at least {field.minimum:g}" if field.minimum is not None else f"at most {field.maximum:g}"


if __name__ == "__main__":
    print(write_document())
