"""Everything that the APIs offer for one town, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from geodata.errors import InputError
from geodata.fetch import building_register, pvgis
from geodata.fetch.courtesy import Caller, Courtesy, FetchError, fetch_parameters
from geodata.fetch.report import FetchReport
from geodata.fetch.secret import Secret
from geodata.site import Site
from geodata.study_area import StudyArea, build_study_area
from geodata.vworld.data_api import Question
from geodata.vworld.fetch_layer import fetch_layer
from geodata.vworld.layers import vworld_layers

_ISSUED = {
    "VWORLD_KEY": "A key of V-World is issued to members at vworld.kr; export VWORLD_KEY=… (and VWORLD_DOMAIN=… as registered) · 브이월드 인증키를 환경 변수로 주세요",
    "DATA_GO_KR_KEY": "A key of 건축HUB (15134735) is issued to members at data.go.kr; export DATA_GO_KR_KEY=… · 공공데이터포털 서비스키를 환경 변수로 주세요",
}


_FOR_ALL = frozenset({"INVALID_KEY", "INCORRECT_KEY", "UNAVAILABLE_KEY", "OVER_REQUEST_LIMIT"})
"""Refusals that every other layer of the API would meet too."""


@dataclass(frozen=True)
class Endpoints:
    """Addresses that stand in for those of ``fetch.yaml``, such as a mirror inside an agency's network; '' for the usual."""

    vworld: str = ""
    register: str = ""
    pvgis: str = ""
    courtesy: Courtesy | None = field(default=None)


def fetchable() -> dict[str, tuple[str, str]]:
    """Return Korean and English title of everything that can be fetched, by name, in the order of fetching."""
    titles = {name: (layer.ko, layer.en) for name, layer in vworld_layers().items()}
    titles[building_register.NAME] = ("건축물대장 표제부", "building register, title part")
    titles[pvgis.NAME] = ("PVGIS 표준기상년", "PVGIS typical year")
    return titles


def chosen_layers(site: Site, wanted: Sequence[str]) -> list[str]:
    """Return the names to fetch: ``wanted``, else those of the site file, else all. Roles such as ``parcels`` are understood.

    Raises
    ------
    InputError
        If a name is neither a layer nor a role.
    """
    known = list(fetchable())
    roles: dict[str, list[str]] = {"building_register": [building_register.NAME], "weather": [pvgis.NAME]}
    for name, layer in vworld_layers().items():
        roles.setdefault(layer.role, []).append(name)
    found: set[str] = set()
    for word in wanted or site.fetch.layers or known:
        names = [name for name in known if name.casefold() == word.casefold()] or roles.get(word, [])
        if not names:
            raise InputError(f"nothing called {word!r} can be fetched. Known: {', '.join([*roles, *known])}")
        found |= set(names)
    return [name for name in known if name in found]


def fetch_town(
    site: Site,
    layers: Sequence[str],
    environment: Mapping[str, str],
    today: date,
    *,
    endpoints: Endpoints | None = None,
    area: StudyArea | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> list[FetchReport]:
    """Fetch ``layers`` of `chosen_layers` into the site's inbox.

    Parameters
    ----------
    environment
        Where the keys are: ``VWORLD_KEY``, ``VWORLD_DOMAIN``, ``DATA_GO_KR_KEY``; only those of the wanted layers are
        looked at.
    today
        The date that the files bear.
    area
        The site's study area, where it is known already.

    Raises
    ------
    geodata.fetch.courtesy.FetchError
        If an API refuses or does not answer. What is finished is kept, and the next call goes on there.
    InputError
        If a key is missing.
    """
    where = endpoints or Endpoints()
    area = area or build_study_area(site)
    keys = {name: _key(name, environment) for name in _needed(layers)}
    reports: list[FetchReport] = []
    refused: list[FetchError] = []
    for name in layers:
        secrets = [keys[variable] for variable in _needed([name])]
        try:
            with Caller(secrets, where.courtesy) as caller:
                reports += _fetch_one(
                    caller, site, name, area, keys, environment=environment, today=today, where=where, tell=tell
                )
        except FetchError as error:
            if error.code in _FOR_ALL:
                raise
            # one layer that the API does not have must not keep the others away
            refused.append(error)
            tell(str(error))
    if refused:
        raise FetchError(
            "\n  ".join(["not everything was fetched:", *(str(error) for error in refused)]), refused[0].code
        )
    return reports


def _fetch_one(
    caller: Caller,
    site: Site,
    name: str,
    area: StudyArea,
    keys: Mapping[str, Secret],
    *,
    environment: Mapping[str, str],
    today: date,
    where: Endpoints,
    tell: Callable[[str], None],
) -> list[FetchReport]:
    values = fetch_parameters()
    known = vworld_layers()
    if name in known:
        question = Question(
            url=where.vworld or values["vworld_url"],
            layer=name,
            crs=site.crs,
            key=keys["VWORLD_KEY"],
            domain=environment.get("VWORLD_DOMAIN", ""),
            attribute_filter=site.fetch.filters.get(name, ""),
            page_size=int(values["vworld_page_size"]),
            pages=int(values["vworld_pages"]),
        )
        return [fetch_layer(caller, question, known[name], area.area, inbox=site.inbox, today=today, tell=tell)]
    if name == building_register.NAME:
        dongs, key = list(area.dongs["dong_code"]), keys["DATA_GO_KR_KEY"]
        return building_register.fetch_register(caller, key, dongs, site.inbox, today, url=where.register, tell=tell)
    return [pvgis.fetch_typical_year(caller, area.area, site.crs, site.inbox, today, url=where.pvgis)]


def _needed(layers: Sequence[str]) -> list[str]:
    known = vworld_layers()
    variables = {"VWORLD_KEY" for name in layers if name in known}
    variables |= {"DATA_GO_KR_KEY" for name in layers if name == building_register.NAME}
    return sorted(variables)


def _key(variable: str, environment: Mapping[str, str]) -> Secret:
    return Secret(variable, environment.get(variable), _ISSUED[variable])
