"""What the STAC catalogue of a release says beside its files: who gave what, of which date, and in short what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geodata.inventory import Inventory
from geodata.site import ROLE_TITLES, Site
from twin.publish.about import DEMO, ReleaseAbout
from twin.publish.qgis_project.groups import TITLES
from twin.publish.run_info import BOUNDARY_SOURCE, NO_VINTAGE

MAKER = "신도시 트윈 / New-town twin"


@dataclass(frozen=True)
class Provider:
    """Who gave data to the release, and what: product, date and terms in one line."""

    name: str
    description: str
    roles: tuple[str, ...] = ("producer", "licensor")


@dataclass(frozen=True)
class Facts:
    """What the catalogue says beside the files.

    ``site`` names the town in ASCII; ``scenarios`` map each scenario to its title; ``vintages`` are the dates of the
    inputs, ISO 8601, as far as they are known; ``summary`` are lines that a person reads first; ``known`` maps names of
    files to their sha256, where that is known already.
    """

    site: str
    about: ReleaseAbout
    scenarios: Mapping[str, str]
    vintages: Sequence[str]
    providers: Sequence[Provider]
    summary: Sequence[str]
    known: Mapping[str, str]


def release_facts(
    site: Site,
    inventory: Inventory,
    about: ReleaseAbout,
    *,
    scenarios: Sequence[str],
    summary: Sequence[str],
    known: Mapping[str, str],
) -> Facts:
    """Return the facts of a release of ``scenarios`` that was made from ``inventory``.

    A giver of several products is told once, with all of them. Nobody gave the data of a demo site but its maker.
    """
    given: dict[str, list[str]] = {}
    for dataset in inventory.datasets:
        ko, en = ROLE_TITLES[dataset.role]
        told = [f"{ko} / {en}", dataset.product, dataset.vintage, dataset.licence]
        given.setdefault(dataset.attribution or ko, []).append(" · ".join(text for text in told if text))
    if site.demo:
        given = {MAKER: [f"{DEMO['ko']} / {DEMO['en']}: {line}" for lines in given.values() for line in lines]}
    given.setdefault(BOUNDARY_SOURCE, []).append(f"법정동 경계 / legal dong boundaries · {NO_VINTAGE}")
    providers = [Provider(name, "; ".join(dict.fromkeys(told))) for name, told in sorted(given.items())]
    return Facts(
        site=site.name,
        about=about,
        scenarios={name: " / ".join(TITLES.get(name, (name, name))) for name in scenarios},
        vintages=sorted({dataset.vintage for dataset in inventory.datasets if dataset.vintage}),
        providers=[*providers, Provider(MAKER, "run_info, quality, manifest.json", ("processor",))],
        summary=summary,
        known=known,
    )
