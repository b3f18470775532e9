"""Groups of the QGIS project, read off the files that a release is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from geodata.catalogue import COMPARISON_LAYERS
from geodata.site import PRESENT
from twin.publish.qgis_project.project import Group
from twin.publish.qgis_project.tables import tables_of
from twin.publish.rasters import raster_styles

COMPARISON = "comparison.gpkg"
TITLES = {PRESENT: ("현재", "Existing"), "planned": ("계획", "Planned")}


def release_groups(files: Mapping[str, Path], scenarios: Sequence[str]) -> list[Group]:
    """Return one group for each scenario whose GeoPackage is among ``files``, names inside the release to files.

    The first one is switched on when the project is opened. Each plan has one more for what it changes.
    """
    groups: list[Group] = []
    for scenario in scenarios:
        name = f"{scenario}/twin.gpkg"
        if name not in files:
            continue
        rasters = {
            file: raster
            for file in sorted(files)
            if PurePosixPath(file).suffix == ".tif"
            and (raster := PurePosixPath(file).stem.removeprefix(f"{scenario}_")) in raster_styles()
            and PurePosixPath(file).stem.startswith(f"{scenario}_")
        }
        ko, en = TITLES.get(scenario, (scenario, scenario))
        groups.append(Group(scenario, ko, en, name, tables_of(files[name]), rasters, visible=not groups))
    if COMPARISON in files:
        tables = tables_of(files[COMPARISON], COMPARISON_LAYERS)
        for scenario in (name for name in scenarios if name != PRESENT):
            ko, en = TITLES.get(scenario, (scenario, scenario))
            before_ko, before_en = TITLES[PRESENT]
            title = f"변화: {ko} - {before_ko}", f"Change: {en.lower()} - {before_en.lower()}"
            groups.append(Group(f"comparison_{scenario}", *title, COMPARISON, tables, only=("scenario", scenario)))
    return groups
