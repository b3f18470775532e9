"""The site file: everything that ties the system to one town.

YAML, read by `Site.load`. Unknown keys are refused, and every error names the key and the remedy.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import pyproj
import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from geodata.climate import ClimateSpec
from geodata.compute import ComputeSpec
from geodata.errors import InputError
from geodata.fetch.spec import FetchSpec

Role = Literal[
    "parcels",
    "buildings",
    "land_cover",
    "parks",
    "terrain",
    "weather",
    "plan_blocks",
    "district",
    "land_characteristics",
    "land_use_regulation",
    "zoning",
    "building_register",
    "roads",
    "roof_planes",
    "ndvi",
    "surface_model",
    "park_entrances",
    "footways",
    "bus_stops",
]
ROLES: tuple[Role, ...] = get_args(Role)
"""What a file of the inbox can be for; one clean layer each."""

ROLE_TITLES: dict[Role, tuple[str, str]] = {
    "parcels": ("필지", "parcels"),
    "buildings": ("건물", "buildings"),
    "land_cover": ("토지피복", "land cover"),
    "parks": ("공원·녹지", "parks"),
    "terrain": ("지형", "terrain"),
    "weather": ("기상", "weather"),
    "plan_blocks": ("토지이용계획", "plan blocks"),
    "district": ("사업지구 경계", "district boundary"),
    "roads": ("도로", "roads"),
    "land_characteristics": ("토지특성", "land characteristics"),
    "land_use_regulation": ("토지이용계획(규제)", "land-use regulation"),
    "zoning": ("용도지역", "zoning"),
    "building_register": ("건축물대장", "building register"),
    "roof_planes": ("지붕면", "roof planes"),
    "ndvi": ("식생지수", "vegetation index"),
    "surface_model": ("표면모델(DSM)", "surface model (DSM)"),
    "park_entrances": ("공원 출입구", "park entrances"),
    "footways": ("보도(인도)", "footways"),
    "bus_stops": ("버스정류장", "bus stops"),
}
"""Korean and English title of each role."""

CORE_ROLES: tuple[Role, ...] = ("parcels", "buildings", "land_cover", "parks", "terrain", "weather", "plan_blocks")
"""Without these a layer or a result is missing."""
OPTIONAL_ROLES: tuple[Role, ...] = (
    "roof_planes",
    "ndvi",
    "roads",
    "surface_model",
    "park_entrances",
    "footways",
    "bus_stops",
)
"""These only refine what is there without them."""

PRESENT = "existing"
"""The scenario of the town as it is; every other name of `scenarios` is a plan."""
RESERVED = frozenset(
    {"sources", "release", "comparison", "changes", "maps", "rasters", "tables", "web", "city3d", "geoparquet", "stac"}
)
"""Words that stand beside the scenarios in a release or in the graph."""

_STRICT = ConfigDict(frozen=True, extra="forbid")


def _metric_crs(code: str) -> str:
    try:
        crs = pyproj.CRS.from_user_input(code)
    except pyproj.exceptions.CRSError as error:
        raise ValueError(
            f"{code!r} is not a coordinate reference system; give an EPSG code such as EPSG:5186"
        ) from error
    if not crs.is_projected or crs.axis_info[0].unit_name != "metre":
        raise ValueError(f"{code} is not projected in metres; use EPSG:5186 (central belt) or EPSG:5179")
    epsg = crs.to_epsg()
    if epsg is None:
        raise ValueError(f"{code!r} has no EPSG code; use EPSG:5186 (central belt) or EPSG:5179")
    return f"EPSG:{epsg}"


class Title(BaseModel):
    """The town's name in both languages."""

    model_config = _STRICT
    ko: str
    en: str


class StudyAreaSpec(BaseModel):
    """What is computed: legal dongs by code, a polygon file, or a box; exactly one of the three."""

    model_config = _STRICT
    legal_dongs: tuple[Annotated[str, Field(pattern=r"^[0-9]{10}$")], ...] | None = None
    path: Path | None = None
    bbox: tuple[float, float, float, float] | None = None
    crs: str | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> StudyAreaSpec:
        given = [name for name in ("legal_dongs", "path", "bbox") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(f"give exactly one of legal_dongs, path or bbox (given: {given or 'none'})")
        if self.bbox is not None:
            if self.crs is None:
                raise ValueError("a bbox needs its crs, for example crs: EPSG:4326")
            if not (self.bbox[0] < self.bbox[2] and self.bbox[1] < self.bbox[3]):
                raise ValueError("bbox is [minx, miny, maxx, maxy] with min < max")
        return self


class PathSpec(BaseModel):
    """A file named by the site file."""

    model_config = _STRICT
    path: Path


class SourceSpec(BaseModel):
    """A source that the site file names instead of leaving it to recognition. Paths are inside the inbox."""

    model_config = _STRICT
    path: Path
    columns: dict[str, str] = {}
    """Our column name to the file's column name."""
    layer: str | None = None
    crs: str | None = None
    encoding: str | None = None
    nodata: float | None = None
    licence: str = ""
    vintage: str = ""


class PlanSpec(BaseModel):
    """What makes a plan that differs from the blocks recognised in the inbox. Paths are inside the inbox."""

    model_config = _STRICT
    blocks: SourceSpec | None = None
    """Plan blocks of this alternative; without them those recognised in the inbox."""
    designs: tuple[SourceSpec, ...] = ()
    """Files of buildings that somebody has designed; they take the place of the massing in the blocks they lie in."""


class SurfaceSpec(BaseModel):
    """How finely the town's surface is sampled."""

    model_config = _STRICT
    cell_size_m: float = Field(default=0.5, ge=0.1, le=10)
    raster_cell_size_m: float | None = Field(default=None, ge=0.1, le=50)
    """Of the published rasters; a multiple of ``cell_size_m``. Without it about 1 m."""


class ResourceSpec(BaseModel):
    """A station normal of yearly global horizontal irradiation to which the weather file is corrected."""

    model_config = _STRICT
    station: str
    value: float = Field(gt=500, lt=3000)
    unit: Literal["kWh/m2"]
    period: str = ""
    source: str = ""
    verified: bool = False
    interannual_std_pct: float | None = Field(default=None, gt=0, lt=30)
    """Standard deviation of yearly irradiation from year to year; with it P90 yields are told."""
    interannual_source: str = ""

    @model_validator(mode="after")
    def _spread_has_source(self) -> ResourceSpec:
        if self.interannual_std_pct is not None and not self.interannual_source:
            raise ValueError("interannual_std_pct needs interannual_source: say where the standard deviation is from")
        return self


class SolarSpec(BaseModel):
    """Settings of the solar model."""

    model_config = _STRICT
    azimuths: int = Field(default=72, ge=8, le=360)
    resource: ResourceSpec | None = None


class DriftSpec(BaseModel):
    """How far a release may differ from the one before until somebody has to say why."""

    model_config = _STRICT
    rows_pct: float = Field(default=20, gt=0)
    """The first three: how much of a figure may be lost."""
    area_pct: float = Field(default=20, gt=0)
    yield_pct: float = Field(default=30, gt=0)
    gain_pct: float = Field(default=100, gt=0)
    """How much any figure may grow; towns grow, but a layer that doubled was more likely read twice."""
    few_rows: int = Field(default=5, ge=0)
    """A layer may always gain or lose this many rows, as long as it does not vanish."""


class NotifySpec(BaseModel):
    """Who is told when a run fails and when runs succeed again."""

    model_config = _STRICT
    command: tuple[str, ...] = ()
    """A program and its arguments; event, town and reason follow as three more. No shell is involved."""
    webhook: str | None = Field(default=None, pattern=r"^https?://")
    """Gets the same as JSON by POST."""


class StoreSpec(BaseModel):
    """How long results stay that no kept release and no run needs."""

    model_config = _STRICT
    collect_after_publish: bool = True
    keep_days: float = Field(default=7, ge=1)


class Site(BaseModel):
    """One town."""

    model_config = _STRICT
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,62}$")]
    title: Title
    crs: Annotated[str, AfterValidator(_metric_crs)] = "EPSG:5186"
    timezone: str = "Asia/Seoul"
    study_area: StudyAreaSpec
    district: PathSpec | None = None
    inbox: Path = Path("inbox")
    sources: dict[Role, SourceSpec] = {}
    scenarios: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")], ...] = (PRESENT,)
    plans: dict[str, PlanSpec] = {}
    """Alternatives by scenario; a plan without an entry takes the blocks recognised in the inbox."""
    surface: SurfaceSpec = SurfaceSpec()
    solar: SolarSpec = SolarSpec()
    climate: ClimateSpec | None = None
    compute: ComputeSpec = ComputeSpec()
    fetch: FetchSpec = FetchSpec()
    demo: bool = False
    """True marks everything made from this site as demo data (가상 데이터)."""
    keep_releases: int = Field(default=14, ge=3)
    drift: DriftSpec = DriftSpec()
    notify: NotifySpec = NotifySpec()
    store: StoreSpec = StoreSpec()

    @model_validator(mode="after")
    def _scenarios_fit(self) -> Site:
        if len(set(self.scenarios)) != len(self.scenarios):
            raise ValueError("scenarios: name each only once")
        if PRESENT not in self.scenarios:
            raise ValueError(f"scenarios: {PRESENT} must be one of them; plans are told as differences from it")
        reserved = sorted(set(self.scenarios) & RESERVED)
        if reserved:
            raise ValueError(f"scenarios: {', '.join(reserved)} cannot be the name of a scenario; choose another word")
        strayed = sorted(set(self.plans) - set(self.scenarios) | ({PRESENT} & set(self.plans)))
        if strayed:
            raise ValueError(
                f"plans: {', '.join(strayed)} is no plan of this site; add its name to scenarios ({PRESENT} is the town as it is)"
            )
        return self

    @property
    def planned(self) -> tuple[str, ...]:
        """Scenarios that are plans, in the order of the site file."""
        return tuple(name for name in self.scenarios if name != PRESENT)

    @classmethod
    def load(cls, path: Path, *, base: Path | None = None) -> Site:
        """Read a site file; relative paths start at ``base``, else at the file's own folder.

        Raises
        ------
        InputError
            If the file is missing, is not YAML, or has an unknown, missing or unusable key.
        """
        try:
            raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(
                f"site file {path} does not exist. Give one with --site, or write a demo with: twin demo DIR"
            ) from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise InputError(f"site file {path} is not readable YAML in UTF-8: {error}") from error
        if not isinstance(raw, dict):
            raise InputError(f"site file {path} must be a mapping of keys such as name, title, study_area")
        try:
            site = cls.model_validate(raw)
        except ValidationError as error:
            raise InputError(_explain(error, raw, path)) from error
        return site._resolved((base or path.parent).resolve())

    def _resolved(self, base: Path) -> Site:
        study = self.study_area
        if study.path is not None:
            study = study.model_copy(update={"path": base / study.path})
        district = self.district and self.district.model_copy(update={"path": base / self.district.path})
        return self.model_copy(update={"inbox": base / self.inbox, "study_area": study, "district": district})


def _known_keys(location: tuple[Any, ...]) -> list[str]:
    """Keys that the site file accepts at ``location``."""
    if location[:1] == ("sources",):
        return list(ROLES) if len(location) == 1 else list(SourceSpec.model_fields)
    if location[:1] == ("plans",):
        return list(PlanSpec.model_fields) if len(location) <= 2 else list(SourceSpec.model_fields)
    model: type[BaseModel] = Site
    for part in location:
        annotation = model.model_fields[part].annotation
        model = next(a for a in (annotation, *get_args(annotation)) if isinstance(a, type) and issubclass(a, BaseModel))
    return list(model.model_fields)


def _explain(error: ValidationError, raw: dict[str, Any], path: Path) -> str:
    lines = []
    for problem in error.errors():
        location = tuple(p for p in problem["loc"] if p != "[key]")
        key = ".".join(str(p) for p in location) or "(whole file)"
        if problem["type"] == "extra_forbidden" or problem["loc"][-1:] == ("[key]",):
            known = _known_keys(location[:-1])
            close = difflib.get_close_matches(str(location[-1]), known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
            lines.append(f"{key}: unknown key; {hint}")
        elif problem["type"] == "missing":
            lines.append(f"{key}: required key is missing")
        else:
            lines.append(f"{key}: {problem['msg'].removeprefix('Value error, ')} (given: {problem['input']!r})")
    return f"site file {path}:\n  " + "\n  ".join(lines)
