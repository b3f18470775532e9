"""Where the work is remembered: one Dagster instance and one store per town, below the state folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from geodata.errors import InputError
from geodata.site import Site

DEFAULT_SITE = Path(__file__).parent.parent / "geodata" / "sites" / "gwangmyeong_siheung.yaml"

DAGSTER_YAML = """\
# One local instance; `twin run`, `twin ui` and `dg launch` all write here.
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  pools:
    default_limit: 1
    granularity: run
"""


@dataclass(frozen=True)
class Workplace:
    """One town and the folders that belong to it."""

    site: Site
    site_file: Path
    outputs: Path
    state: Path

    @property
    def dagster_home(self) -> Path:
        """Folder of the Dagster instance."""
        return self.state / self.site.name / "dagster"

    @property
    def store(self) -> Path:
        """Folder of the store."""
        return self.state / self.site.name / "store"

    @property
    def releases(self) -> Path:
        """Folder of this town's releases."""
        return self.outputs / self.site.name

    def environment(self) -> dict[str, str]:
        """Return the environment in which Dagster's own commands see this town."""
        return {
            "DAGSTER_HOME": str(self.dagster_home),
            "TWIN_SITE": str(self.site_file),
            "TWIN_OUTPUTS": str(self.outputs),
            "TWIN_STATE": str(self.state),
        }


def open_workplace(site_file: Path | None = None, outputs: Path | None = None, state: Path | None = None) -> Workplace:
    """Return the workplace of a site file; what is not given comes from TWIN_SITE, TWIN_OUTPUTS and TWIN_STATE, else the defaults.

    Relative paths of the shipped site file start at the working folder, those of any other at its own folder.
    """
    file = (site_file or Path(os.environ.get("TWIN_SITE", DEFAULT_SITE))).resolve()
    base = Path.cwd() if file == DEFAULT_SITE.resolve() else None
    return Workplace(
        site=Site.load(file, base=base),
        site_file=file,
        outputs=(outputs or Path(os.environ.get("TWIN_OUTPUTS", "outputs"))).resolve(),
        state=(state or Path(os.environ.get("TWIN_STATE", ".twin"))).resolve(),
    )


def open_instance(workplace: Workplace) -> dg.DagsterInstance:
    """Return the persistent Dagster instance of a workplace, made if it is not there."""
    home = workplace.dagster_home
    try:
        home.mkdir(parents=True, exist_ok=True)
        settings = home / "dagster.yaml"
        if not settings.exists() or settings.read_text(encoding="utf-8") != DAGSTER_YAML:
            settings.write_text(DAGSTER_YAML, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"the state folder {home} cannot be written ({error.strerror}). Free it, or name another with --state"
        ) from error
    return dg.DagsterInstance.from_config(str(home))


def refuse_foreign_instance(workplace: Workplace, context: dg.AssetExecutionContext) -> None:
    """Refuse to materialise on an instance that forgets, or on that of another town."""
    instance = context.instance
    root = None if instance.is_ephemeral else Path(instance.root_directory).resolve()
    if root != workplace.dagster_home.resolve():
        raise dg.Failure(
            f"this run would be recorded in {root or 'a temporary instance'}, not in {workplace.dagster_home}. "
            'Set the environment first: eval "$(.venv/bin/twin env)"',
            allow_retries=False,
        )
