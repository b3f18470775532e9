"""The web page of a release in a real browser: Debian's Chromium, driven by Playwright, opened from the disk and from the loopback."""

from __future__ import annotations

import json
import os
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pytest

from benchmarks.page import CHROMIUM, FLAGS, WATCH, WIDE
from geodata.catalogue import LAYERS
from pipelines.view_command import page_server
from twin.publish.about import ReleaseAbout
from twin.publish.viewer.data import write_scenario
from twin.publish.viewer.page import write_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.check
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is installed by `make check` alone")

PHONE = {"width": 390, "height": 844}
PATIENCE_MS = 240_000
"""A page drawn without a graphics card, on a slow and busy machine."""
MONTHS = [f"yield_{month:02d}_kwh" for month in range(1, 13)]


@dataclass
class Opened:
    """A page, and what it said and asked for since it was opened."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def wait_drawn(self, scenario: str) -> None:
        self.page.wait_for_selector(f'body[data-drawn="{scenario}"]', timeout=PATIENCE_MS)

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)

    def click_on(self, lon: float, lat: float) -> None:
        """Bring a place to the middle, seen from above, and click on it."""
        self.page.evaluate(
            "([x, y]) => { delete document.body.dataset.drawn; TWIN.state.map.jumpTo({center: [x, y], zoom: 18, pitch: 0, bearing: 0}); }",
            [lon, lat],
        )
        self.page.wait_for_selector("body[data-drawn]", timeout=PATIENCE_MS)
        box = self.page.locator("#map canvas").bounding_box()
        assert box is not None
        self.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.wait_for_selector("#card:not([hidden])")


@pytest.fixture(scope="module")
def release(small_base) -> Path:
    (latest,) = (small_base / "outputs").glob("*/latest")
    return latest


@pytest.fixture(scope="module")
def addresses(release):
    server = page_server(release, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {
        "disk": (release.resolve() / "web").as_uri() + "/",
        "loopback": f"http://127.0.0.1:{server.server_port}/",
    }
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed: apt install chromium")
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield found
        found.close()


def open_page(browser: Browser, address: str, size: dict[str, int] = WIDE, *, drawn: str = "existing") -> Opened:
    page = browser.new_page(viewport=size)
    page.set_default_timeout(PATIENCE_MS)
    opened = Opened(page)
    page.on("console", lambda message: opened.said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: opened.said.append(str(error)))
    page.on("request", lambda request: opened.asked.append(request.url))
    page.goto(f"{address}index.html")
    opened.wait_drawn(drawn)
    return opened


@pytest.fixture
def opened(browser, addresses):
    found = open_page(browser, addresses["disk"])
    yield found
    assert found.said == []
    found.page.close()


def layer(release: Path, name: str, scenario: str = "existing") -> gpd.GeoDataFrame:
    """What a planner reads, by another way than the page's."""
    frame = gpd.read_file(release / scenario / "twin.gpkg", layer=name)
    places = frame.geometry.representative_point().to_crs("EPSG:4326")
    return frame.assign(lon=places.x, lat=places.y)


@pytest.mark.parametrize("way", ["disk", "loopback"])
def test_it_loads_without_complaint_and_asks_nobody_else(browser, addresses, way):
    found = open_page(browser, addresses[way])
    for scenario in ("planned", "existing"):
        found.page.click(f'[data-scenario="{scenario}"]')
        found.wait_drawn(scenario)
    assert found.said == []
    own = (addresses[way], "data:", "blob:")
    assert [url for url in found.asked if not url.startswith(own)] == []
    assert any("/data/planned/" in url for url in found.asked)
    # the marks that nobody may miss
    assert found.text("#demo") == "가상 데이터"
    found.page.close()


def test_the_first_view_comes_soon_and_panning_stays_fluid(browser, addresses):
    if "TWIN_TIMED" not in os.environ:
        pytest.skip("seconds tell of the machine as much as of the page; on an idle one: TWIN_TIMED=1 make check")
    page = browser.new_page(viewport=WIDE)
    page.add_init_script(WATCH)
    page.goto(f"{addresses['disk']}index.html")
    page.wait_for_selector('body[data-drawn="existing"]', timeout=PATIENCE_MS)
    assert page.evaluate("performance.now()") < 5000
    page.evaluate("tasks.length = 0; TWIN.state.map.setZoom(17)")
    page.mouse.move(700, 450)
    for step in (-160, 160):
        page.mouse.down()
        page.mouse.move(700 + step, 450 + step // 2, steps=8)
        page.mouse.up()
    page.wait_for_timeout(500)
    assert max(page.evaluate("tasks"), default=0) < 500
    page.close()


def test_all_tiles_of_a_layer_share_one_source_and_belong_to_one_scenario(opened, release):
    page = opened.page
    # each further source is a pass over the whole picture: a district with a source for each tile took a second and more to move
    assert page.evaluate("Object.keys(TWIN.state.map.getStyle().sources).sort()") == [
        "buildings", "chosen", "parcels", "parks", "plan_blocks"
    ]  # fmt: skip
    # to and fro, faster than the tiles come
    for scenario in ("planned", "existing", "planned", "existing", "planned"):
        page.click(f'[data-scenario="{scenario}"]')
    for scenario in ("planned", "existing"):
        page.click(f'[data-scenario="{scenario}"]')
        opened.wait_drawn(scenario)
        for name in ("buildings", "parcels"):
            held = page.evaluate(
                "name => TWIN.state.map.getSource(name).getData().then((all) => all.features.length)", name
            )
            assert held == len(layer(release, name, scenario)), (scenario, name)


def test_a_lot_is_found_by_its_number_and_by_its_pnu(opened, release):
    parcels = layer(release, "parcels")
    once = parcels[~parcels["jibun"].duplicated(keep=False)].iloc[0]
    for wanted in (once["pnu"], once["jibun"]):
        opened.page.fill("#query", wanted)
        opened.page.press("#query", "Enter")
        opened.page.wait_for_selector("#card:not([hidden])")
        assert opened.text("#card h2") == once["jibun"]
        assert once["pnu"] in opened.text("#card dl")
        told = opened.page.text_content("#card") or ""
        assert f"{LAYERS['parcels']['area_m2'].ko} (m²){once['area_m2']:,g}" in told
        assert "출처" in opened.text("#card")
        opened.page.click("#card .close")
    opened.page.fill("#query", "9999999999999999999")
    opened.page.press("#query", "Enter")
    assert opened.text("#status") == "찾은 필지가 없습니다"
    opened.page.click("#language")
    assert opened.text("#status") == "No lot was found"


def test_a_click_opens_a_building_with_its_months(opened, release):
    buildings = layer(release, "buildings")
    one = buildings[buildings["yield_kwh"] > 0].sort_values("footprint_area_m2").iloc[-1]
    opened.click_on(one["lon"], one["lat"])
    assert one["building_id"] in (opened.page.text_content("#card") or "")
    titles = opened.page.eval_on_selector_all("#card .bars > div", "bars => bars.map((bar) => bar.title)")
    told = [int(re.sub(r"[^0-9]", "", title.split(":")[1])) for title in titles]
    assert told == pytest.approx([one[month] for month in MONTHS], abs=0.5001)
    opened.page.keyboard.press("Escape")
    assert not opened.page.is_visible("#card")


def test_a_roof_without_room_for_modules_says_so(opened, release):
    buildings = layer(release, "buildings")
    none = buildings[buildings["yield_kwh"] == 0]
    if none.empty:
        pytest.skip("every roof of this town takes modules")
    opened.click_on(none.iloc[0]["lon"], none.iloc[0]["lat"])
    assert "발전량이 0" in opened.text("#card")


def test_the_plan_shows_other_buildings_and_its_blocks(opened, release):
    assert opened.page.locator("#blocks").count() == 0
    opened.page.click('[data-scenario="planned"]')
    opened.wait_drawn("planned")
    assert opened.page.get_attribute('[data-scenario="planned"]', "aria-pressed") == "true"
    assert opened.page.is_checked("#blocks")
    old, new = (set(layer(release, "buildings", scenario)["building_id"]) for scenario in ("existing", "planned"))
    buildings = layer(release, "buildings", "planned").set_index("building_id")
    # one that the plan brings, if it brings any to this corner
    one = buildings.loc[[*sorted(new - old), *sorted(new)][0]]
    opened.click_on(one["lon"], one["lat"])
    assert one.name in (opened.page.text_content("#card") or "")


def test_it_speaks_english_everywhere(opened, release):
    one = layer(release, "buildings").iloc[0]
    opened.click_on(one["lon"], one["lat"])
    opened.page.click("#language")
    assert opened.page.get_attribute("html", "lang") == "en"
    assert opened.text("#demo") == "Demo data"
    assert LAYERS["buildings"]["height"].label("en") in opened.text("#card")
    # values of the town stay what they are; everything the page itself says is English
    for selector in ("#legend", "#card dt", "#scenarios", "#vintage", "header h1"):
        assert not re.search("[가-힣]", " ".join(opened.page.locator(selector).all_inner_texts())), selector
    assert opened.text("#language") == "한국어"


def test_it_is_coloured_by_shading_on_demand(opened):
    choices = opened.page.eval_on_selector_all("#theme-buildings option", "all => all.map((one) => one.textContent)")
    opened.page.select_option("#theme-buildings", index=choices.index(LAYERS["roofs"]["shading_loss_pct"].ko))
    assert "2 – 5 %" in opened.text("#legend")
    told = opened.page.evaluate(
        "JSON.stringify(TWIN.state.map.getStyle().layers.filter((one) => one.type === 'fill-extrusion')"
        ".map((one) => one.paint['fill-extrusion-color']))"
    )
    assert all("shading_loss_pct" in json.dumps(colour) for colour in json.loads(told))


def test_it_is_used_by_keyboard_alone(opened, release):
    opened.page.focus("#query")
    opened.page.keyboard.type(layer(release, "parcels").iloc[0]["pnu"])
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_selector("#card:not([hidden])")
    assert opened.page.evaluate("document.activeElement.id") == "card"
    opened.page.keyboard.press("Escape")
    assert not opened.page.is_visible("#card")
    opened.page.focus("#map canvas")
    before = opened.page.evaluate("TWIN.state.map.getCenter().lng")
    opened.page.keyboard.press("ArrowRight")
    opened.page.wait_for_function("before => TWIN.state.map.getCenter().lng > before", arg=before)
    one = layer(release, "buildings").iloc[0]
    opened.page.evaluate(
        "([x, y]) => { delete document.body.dataset.drawn; TWIN.state.map.jumpTo({center: [x, y], zoom: 18, pitch: 0}); }",
        [one["lon"], one["lat"]],
    )
    opened.page.wait_for_selector("body[data-drawn]", timeout=PATIENCE_MS)
    opened.page.focus("#map canvas")
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_selector("#card:not([hidden])")


def test_it_fits_a_phone(browser, addresses, release):
    found = open_page(browser, addresses["disk"], PHONE)
    assert not found.page.is_visible("#classes")
    found.page.fill("#query", layer(release, "parcels").iloc[0]["pnu"])
    found.page.press("#query", "Enter")
    found.page.wait_for_selector("#card:not([hidden])")
    assert found.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    box = found.page.locator("#card").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    assert box["height"] <= 0.6 * PHONE["height"]
    assert found.said == []
    found.page.close()


def test_print_shows_map_and_legend_without_controls(opened):
    opened.page.emulate_media(media="print")
    assert opened.page.is_visible("#classes")
    assert opened.page.is_visible("#map canvas")
    for hidden in ("#search", ".tools", ".maplibregl-ctrl-zoom-in"):
        assert not opened.page.is_visible(hidden)
    assert len(opened.page.pdf(prefer_css_page_size=True, print_background=True)) > 50_000


def test_markup_in_the_data_stays_text(browser, release, tmp_path):
    evil = '<img src=x onerror="window.harmed=1"></script><script>window.harmed=2</script>'
    layers = {name: gpd.read_file(release / "existing" / "twin.gpkg", layer=name) for name in ("parcels", "buildings")}
    layers["parcels"]["jibun"] = [f"{i + 1}{evil}" for i in range(len(layers["parcels"]))]
    layers["buildings"]["name"] = evil
    about = ReleaseAbout(evil, evil, "EPSG:5186", "2026-10-01", unshaded=False, demo=True)
    write_page(tmp_path, about, ["existing"])
    write_scenario(tmp_path / "data" / "existing", layers, about, "existing")
    found = open_page(browser, tmp_path.as_uri() + "/")
    found.page.fill("#query", f"1{evil}")
    assert found.page.locator("#found option").count() == 1
    found.page.press("#query", "Enter")
    found.page.wait_for_selector("#card:not([hidden])")
    assert found.page.text_content("#card h2") == f"1{evil}"
    one = layer(release, "buildings").iloc[0]
    found.click_on(one["lon"], one["lat"])
    assert found.page.text_content("#card h2") == evil
    assert found.text("#title") == evil
    assert found.page.locator("img[src=x]").count() == 0
    assert found.page.evaluate("window.harmed") is None
    found.page.close()
