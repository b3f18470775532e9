"""Groups of the QGIS project, read off the files that a release is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from twin.publish.qgis_project.project import Group
from twin.publish.qgis_project.tables import tables_of
from twin.publish.rasters import raster_styles

TITLES = {"existing": ("현재", "Existing"), "planned": ("계획", "Planned")}


def release_groups(files: Mapping[str, Path], scenarios: Sequence[str]) -> list[Group]:
    """Return one group for each scenario whose GeoPackage is among ``files``, names inside the release to files.

    The first one is switched on when the project is opened.
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
        groups.append(
            Group(scenario, ko, en, name, tables_of(files[name]), rasters, visible=not groups, sheets=True)
        )  # fmt: skip
    return groups
