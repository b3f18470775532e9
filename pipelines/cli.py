"""The command line: `twin`."""

from __future__ import annotations

import os
import shlex
import sys
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from threading import Thread
from typing import Annotated, Any, ParamSpec

import typer
from rich.console import Console
from rich.table import Table

from geodata.errors import InputError
from geodata.site import Site
from pipelines.diff_command import AfterOption, BeforeOption
from pipelines.diff_command import diff as diff_releases
from pipelines.fetch_command import LayersOption
from pipelines.fetch_command import fetch as fetch_layers
from pipelines.view_command import LOOPBACK, page_server

app = typer.Typer(
    help="From an inbox of agency files to a published GeoPackage release of the town. · 기관 파일에서 검증된 GeoPackage 릴리스까지.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
# into a file or a pipe, lines are as long as they are; tables get room to be read
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 180)
err = Console(stderr=True, highlight=False, soft_wrap=True)

SiteOption = Annotated[
    Path | None, typer.Option("--site", help="Site file (YAML). Default: the shipped Gwangmyeong-Siheung.")
]
OutputsOption = Annotated[Path | None, typer.Option("--outputs", help="Folder of the releases. Default: outputs")]
StateOption = Annotated[
    Path | None,
    typer.Option("--state", help="Folder of Dagster's instance and the store, on a local disk. Default: .twin"),
]

WORTH_TELLING_S = 5.0
"""What is nearly done needs no forecast."""

P = ParamSpec("P")


def readable(function: Callable[P, None]) -> Callable[P, None]:
    """Show errors meant for the user as one message, without a traceback."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except InputError as error:
            err.print(f"거부 · refused: {error}", style="bold red", markup=False)
            raise typer.Exit(1) from None

    return wrapped


@app.command()
@readable
def run(
    site: Annotated[
        list[Path] | None, typer.Option("--site", help="Site file; give it several times for several towns.")
    ] = None,
    outputs: OutputsOption = None,
    state: StateOption = None,
    scenario: Annotated[
        str | None, typer.Option("--scenario", help="Only this scenario: nothing is published.")
    ] = None,
    select: Annotated[
        str | None,
        typer.Option(
            "--select",
            help="Only these assets, in Dagster's selection syntax: existing/roofs, group:solar, existing/roofs+",
        ),
    ] = None,
) -> None:
    """Do the whole job: what changed is built, checked and published. · 전체 작업 실행."""
    from pipelines.instance import open_workplace  # noqa: PLC0415 - `twin --help` need not load Dagster

    failed = False
    files: list[Path | None] = [*site] if site else [None]
    for file in files:
        try:
            workplace = open_workplace(file, outputs, state)
            failed |= not _run_one(workplace, _selection(workplace.site, scenario, select))
        except InputError as error:
            if len(files) == 1:
                raise
            # one town that is refused must not keep the others from publishing
            err.print(f"거부 · refused: {file}: {error}", style="bold red", markup=False)
            failed = True
    if failed:
        raise typer.Exit(1)


def _selection(site: Site, scenario: str | None, select: str | None) -> str | None:
    if scenario is None:
        return select
    if scenario not in site.scenarios:
        raise InputError(f"site {site.name} has no scenario {scenario!r}; it has: {', '.join(site.scenarios)}")
    return f"+key:{scenario}/*" if select is None else f"({select}) and key:{scenario}/*"


def _run_one(workplace: Any, select: str | None) -> bool:
    from pipelines.run import run_job  # noqa: PLC0415
    from pipelines.steps import Progress  # noqa: PLC0415

    out.print(f"{workplace.site.title.ko} · {workplace.site.title.en}", style="bold", markup=False)

    def show(progress: Progress) -> None:
        if progress.absent:
            text = f"  –  {progress.asset}: {progress.absent}"
        else:
            rows = f"{progress.rows:>9,} rows" if progress.rows is not None else " " * 14
            text = f"  {'=' if progress.reused else '+'}  {progress.asset:<26}{rows}  {progress.seconds:6.1f} s"
        count = f"{progress.number:>3}/{progress.total}"
        left = progress.seconds_left
        words = "" if left is None or left < WORTH_TELLING_S else f"   약 {left:,.0f} s 남음 · about {left:,.0f} s left"
        out.print(f"{count}{text}{words}", style="dim" if progress.reused else "", markup=False)

    outcome = run_job(workplace, select=select, on_progress=show)
    for line in outcome.healed:
        out.print(f"바로잡음 · healed: {line}", markup=False)
    for line in outcome.altered:
        err.print(f"공개 후 바뀐 릴리스 · altered after it was published: {line}", style="yellow", markup=False)
    for line in outcome.undelivered:
        err.print(f"알리지 못함 · not told: {line}", style="yellow", markup=False)
    if not outcome.succeeded:
        err.print(
            "공개하지 않음: 마지막 릴리스는 그대로임 · nothing published, the last release is untouched",
            style="bold red",
        )
        for reason in outcome.reasons:
            err.print(f"  {reason}", style="red", markup=False)
        return False
    _tell_release(outcome.release, outcome.built, outcome.reused)
    out.print(f"{outcome.seconds:,.1f} s, peak memory {outcome.peak_memory_mb:,.0f} MB", style="dim")
    if outcome.collected:
        out.print(f"{outcome.collected} old objects removed from the store", style="dim")
    return True


def _tell_release(release: dict[str, Any], built: int, reused: int) -> None:
    out.print(f"{built} built, {reused} taken from the store", style="dim")
    if not release:
        out.print("선택한 자산만 만들었고 공개하지 않음 · only the selected assets were built, nothing was published")
        return
    head = "공개함 · published" if release["published"] else "바뀐 것이 없음 · nothing changed, the last release stands"
    out.print(f"{head}: {release['release']}", style="bold green", markup=False)
    for line in release["summary"]:
        out.print(f"  {line}", markup=False)


@app.command()
@readable
def inspect(
    folder: Annotated[Path, typer.Argument(help="Folder of raw files.")],
    site: SiteOption = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", help="Also write a page with a map; with --site it names sheets, towns and stations."),
    ] = None,
) -> None:
    """Say what each file is recognised as, and what is still missing; changes nothing. · 파일 판별."""
    from geodata.inspect import inspect_folder, render_inspection  # noqa: PLC0415
    from geodata.site import Site  # noqa: PLC0415

    town = Site.load(site) if site is not None else None
    inventory = inspect_folder(folder, town.sources, town.plans) if town is not None else inspect_folder(folder)
    out.print(render_inspection(inventory))
    if html is not None:
        from geodata.inspect_page import write_page  # noqa: PLC0415

        write_page(html, inventory, folder, town)
        out.print(f"점검 페이지 · page: {html}", markup=False)


@app.command()
@readable
def fetch(
    site: SiteOption = None,
    layers: LayersOption = None,
    *,
    only_list: Annotated[bool, typer.Option("--list", help="Only say what can be fetched.")] = False,
    vworld_url: Annotated[str, typer.Option("--vworld-url", help="Another address of the V-World Data API.")] = "",
    register_url: Annotated[str, typer.Option("--register-url", help="Another address of the building register.")] = "",
    pvgis_url: Annotated[str, typer.Option("--pvgis-url", help="Another address of PVGIS.")] = "",
) -> None:
    """Fetch from V-World, 건축HUB and PVGIS into the inbox; keys come from VWORLD_KEY and DATA_GO_KR_KEY. · API 자료 받기."""
    fetch_layers(out, site, layers, (vworld_url, register_url, pvgis_url), only_list=only_list)


@app.command()
@readable
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to write the demo site.")],
    size: Annotated[str, typer.Option("--size", help="town (1 km2) or district (12.7 km2)")] = "town",
    seed: Annotated[int, typer.Option("--seed", help="The same seed writes the same files.")] = 41210,
) -> None:
    """Write a whole demo site in the agencies' own formats (가상 데이터). · 데모 사이트 쓰기."""
    from geodata.demo import write_demo  # noqa: PLC0415

    if size not in ("town", "district"):
        raise InputError(f"--size {size!r}: choose town or district")
    file = write_demo(folder, size, seed)  # type: ignore[arg-type]
    out.print(f"가상 데이터 · demo data: {file}\n  twin run --site {shlex.quote(str(file))}", markup=False)


@app.command()
@readable
def status(site: SiteOption = None, outputs: OutputsOption = None, state: StateOption = None) -> None:
    """Say what is fresh, stale or missing, and which release is the last good one. · 상태."""
    from pipelines.instance import open_workplace  # noqa: PLC0415
    from pipelines.last_run import read_last_run  # noqa: PLC0415
    from pipelines.notify import one_line  # noqa: PLC0415
    from pipelines.status import asset_states  # noqa: PLC0415
    from twin.publish.release import list_releases  # noqa: PLC0415

    workplace = open_workplace(site, outputs, state)
    table = Table("asset", "state", "why", box=None, header_style="bold")
    colours = {"fresh": "green", "stale": "yellow", "missing": "red", "absent": "dim"}
    for asset, word, why in asset_states(workplace):
        table.add_row(asset, f"[{colours[word]}]{word}[/]", why)
    out.print(table)
    current = next((r for r in list_releases(workplace.outputs, workplace.site.name) if r.is_latest), None)
    out.print(f"last good release: {current.path if current else 'none yet'}", markup=False)
    last = read_last_run(workplace)
    if last is None:
        out.print("last run: none yet")
    else:
        how = "succeeded" if last["succeeded"] else f"failed: {one_line(last['reasons'])}"
        out.print(f"last run: {last['finished']} {how}", markup=False)


@app.command()
@readable
def releases(site: SiteOption = None, outputs: OutputsOption = None, state: StateOption = None) -> None:
    """List the releases. · 릴리스 목록."""
    from pipelines.instance import open_workplace  # noqa: PLC0415
    from twin.publish.release import list_releases  # noqa: PLC0415

    workplace = open_workplace(site, outputs, state)
    found = list_releases(workplace.outputs, workplace.site.name)
    if not found:
        out.print(f"no release yet in {workplace.releases}", markup=False)
    for release in found:
        marks = " ".join(name for name, on in (("latest", release.is_latest), ("pinned", release.is_pinned)) if on)
        out.print(f"{release.id}  {marks}", style="bold" if release.is_latest else "", markup=False)


@app.command()
@readable
def diff(
    before: BeforeOption = "previous",
    after: AfterOption = "latest",
    file: Annotated[
        Path | None, typer.Option("--out", help="Also write the changes as a GeoPackage with labels and styles.")
    ] = None,
    site: SiteOption = None,
    outputs: OutputsOption = None,
    *,
    state: StateOption = None,
) -> None:
    """Say what was added, removed and altered from release A to release B. · 두 릴리스의 차이."""
    from pipelines.instance import open_workplace  # noqa: PLC0415

    diff_releases(out, open_workplace(site, outputs, state), before, after, file)


@app.command()
@readable
def use(
    release_id: Annotated[
        str, typer.Argument(metavar="ID", help="Release to make the latest; it is kept from then on.")
    ],
    site: SiteOption = None,
    outputs: OutputsOption = None,
    state: StateOption = None,
) -> None:
    """Roll back to a release, or pin it. · 이전 릴리스로 되돌리기."""
    from pipelines.instance import open_workplace  # noqa: PLC0415
    from twin.publish.release import use_release  # noqa: PLC0415

    workplace = open_workplace(site, outputs, state)
    release = use_release(workplace.outputs, workplace.site.name, release_id)
    out.print(f"latest is now {release.path}", markup=False)


@app.command()
@readable
def acknowledge(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Drift as the refusal names it: existing.parcels.rows")],
    reason: Annotated[str, typer.Option("--reason", help="Why this is right; it is published in the manifest.")],
    site: SiteOption = None,
    outputs: OutputsOption = None,
    state: StateOption = None,
) -> None:
    """Let a change that stopped a publish pass, for exactly these values. · 직전 릴리스와의 차이를 확인하고 승인."""
    from pipelines.instance import open_workplace  # noqa: PLC0415
    from twin.publish.drift import acknowledge as accept  # noqa: PLC0415
    from twin.publish.site_folder import SiteFolder  # noqa: PLC0415

    workplace = open_workplace(site, outputs, state)
    drift = accept(SiteFolder(workplace.releases), name, reason, now=datetime.now(UTC))
    out.print(f"승인함 · acknowledged: {drift}\n  twin run", markup=False)


@app.command()
@readable
def gc(site: SiteOption = None, outputs: OutputsOption = None, state: StateOption = None) -> None:
    """Remove from the store what no kept release and no run needs. · 저장소 정리."""
    from pipelines.instance import open_workplace  # noqa: PLC0415
    from pipelines.store_gc import collect  # noqa: PLC0415

    found = collect(open_workplace(site, outputs, state))
    if found.busy:
        raise InputError("a run uses the store at this moment, so nothing was removed; try again when it has ended")
    out.print(f"{found.objects} objects removed, {found.bytes / 1e6:,.1f} MB", markup=False)


@app.command()
@readable
def env(site: SiteOption = None, outputs: OutputsOption = None, state: StateOption = None) -> None:
    """Print the environment in which `dg launch` sees this town: eval "$(twin env)". · 환경 변수."""
    from pipelines.instance import open_instance, open_workplace  # noqa: PLC0415

    workplace = open_workplace(site, outputs, state)
    open_instance(workplace).dispose()
    for name, value in workplace.environment().items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command()
@readable
def view(
    site: SiteOption = None,
    outputs: OutputsOption = None,
    state: StateOption = None,
    port: Annotated[int, typer.Option("--port", help="Port on this machine; 0 takes a free one.")] = 8080,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser of this machine.")] = True,
) -> None:
    """Show the web page of the latest release on this machine. · 최신 릴리스의 웹 페이지 보기."""
    from pipelines.instance import open_workplace  # noqa: PLC0415

    workplace = open_workplace(site, outputs, state)
    server = page_server(workplace.releases / "latest", port)
    err.print(f"http://{LOOPBACK}:{server.server_port}/  (Ctrl+C ends it)", markup=False)
    if browser:
        # a browser of the terminal would hold this thread until it is left
        Thread(target=webbrowser.open, args=(f"http://{LOOPBACK}:{server.server_port}/",), daemon=True).start()
    with server, suppress(KeyboardInterrupt):
        server.serve_forever()


@app.command()
@readable
def ui(
    site: SiteOption = None,
    outputs: OutputsOption = None,
    state: StateOption = None,
    port: Annotated[int, typer.Option("--port", help="Port on this machine.")] = 3000,
) -> None:
    """Open Dagster's UI and its daemon, which runs the nightly schedule, on the same instance. · Dagster 화면."""
    from pipelines.instance import open_instance, open_workplace  # noqa: PLC0415

    workplace = open_workplace(site, outputs, state)
    open_instance(workplace).dispose()
    workspace = Path(__file__).parent.parent / "workspace.yaml"
    command = [
        str(Path(sys.executable).with_name("dg")),
        "dev",
        "-w",
        str(workspace),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    err.print(f"http://127.0.0.1:{port}  (Ctrl+C ends it)", markup=False)
    # this process becomes Dagster, so that whoever stops it stops Dagster
    os.execve(command[0], command, {**os.environ, **workplace.environment()})  # noqa: S606


def main() -> None:
    """Entry point of `twin`."""
    app()
