"""The QGIS project `town.qgz`: all layers of a release in groups, map themes, and A3 sheets with an atlas by legal dong."""

from __future__ import annotations

from twin.publish.qgis_project.groups import release_groups
from twin.publish.qgis_project.project import Group, write_project
from twin.publish.qgis_project.tables import Table, tables_of

__all__ = ["Group", "Table", "release_groups", "tables_of", "write_project"]
