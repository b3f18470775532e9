"""Write `docs/licences.md`: each library that the lock file installs, its version, its licence and where it is at home.

The texts come from what each library says of itself in its metadata. Run by `make docs`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

LOCK = Path("requirements/lock.txt")
PAGE = Path("docs/licences.md")
HEAD = """# Licences of the libraries · 라이브러리 라이선스

What `make setup` installs, as each library says of itself; written by `make docs` from `requirements/lock.txt`.
Licences of the data stand in [sources.md](sources.md) and in the `manifest.json` of every release.

| library | version | licence | home |
|---|---|---|---|
"""
PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==(?P<version>[^ ;\\]+)(\s*;\s*(?P<marker>[^\\]+))?")
LONG = 60
"""Some libraries put the whole licence where its name belongs; no name is that long."""


@dataclass(frozen=True)
class Library:
    """One line of the lock file, and what the installed library says of its licence; None where it is not installed."""

    name: str
    version: str
    marker: str
    licence: str | None
    home: str


def locked_libraries(lock: Path) -> list[Library]:
    """Return the libraries that ``lock`` pins, sorted by name."""
    found = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        pin = PINNED.match(line)
        if pin is None:
            continue
        name, marker = pin["name"].lower(), (pin["marker"] or "").strip()
        if "'never'" in marker:
            # excluded by requirements/overrides.txt
            continue
        try:
            known = distribution(name)
        except PackageNotFoundError:
            # wanted on another system only
            found[name] = Library(name, pin["version"], marker, None, "")
            continue
        found[name] = Library(name, pin["version"], marker, licence_of(known), home_of(known))
    return [found[name] for name in sorted(found)]


def licence_of(known: Distribution) -> str:
    """Return the licence by its name: the SPDX expression, else the trove classifiers, else the free text."""
    told = known.metadata
    if "License-Expression" in told:
        return told["License-Expression"]
    classes = [c.rpartition(" :: ")[2] for c in told.get_all("Classifier") or [] if c.startswith("License ::")]
    named = [c for c in classes if c != "OSI Approved"]
    if named:
        return ", ".join(dict.fromkeys(named))
    text = told["License"].strip() if "License" in told else ""
    first = text.splitlines()[0].strip() if text else ""
    return first if 0 < len(first) <= LONG else ""


def home_of(known: Distribution) -> str:
    """Return the address of the library's source or of its pages, as it tells it."""
    told = known.metadata
    addresses = dict(entry.split(", ", 1) for entry in told.get_all("Project-URL") or [] if ", " in entry)
    by_word = {word.lower(): address for word, address in addresses.items()}
    for word in ("source", "source code", "repository", "github", "homepage", "home"):
        if word in by_word:
            return by_word[word]
    return told["Home-page"] if "Home-page" in told else next(iter(addresses.values()), "")


def page(libraries: list[Library]) -> str:
    """Return the page as Markdown."""
    rows = []
    for library in libraries:
        licence = library.licence if library.licence is not None else f"only where {library.marker}"
        rows.append(f"| {library.name} | {library.version} | {licence or 'see its home'} | {library.home} |")
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(locked_libraries(LOCK)), encoding="utf-8")
