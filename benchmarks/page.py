"""How soon the web page of a release is drawn without a graphics card, and how long it holds the reader up while the map moves.

Asked for: first view 5 s or less, no task over 500 ms while panning. Opened from the disk in Debian's Chromium with software GL;
``make check`` installs what drives it. Seconds tell of the machine as much as of the page, so the processor time of the browser's
processes stands beside them.
"""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from typing import Any

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ("--no-sandbox", "--disable-quic", "--disable-background-networking")
WIDE = {"width": 1440, "height": 900}
WATCH = """window.tasks = []; new PerformanceObserver((list) => list.getEntries().forEach((one) => tasks.push(one.duration)))
  .observe({ type: "longtask" });"""
COUNT = "window.frames_drawn = 0; TWIN.state.map.on('render', () => { frames_drawn += 1; });"


def main(arguments: list[str]) -> None:
    """Open the page of a release and print what it takes."""
    parser = argparse.ArgumentParser(prog="benchmarks page", description=__doc__)
    parser.add_argument("release", type=Path, nargs="*", help="folder of a release (default: outputs/*/latest)")
    folders = parser.parse_args(arguments).release or sorted(Path("outputs").glob("*/latest"))
    pages = [page for folder in folders if (page := folder.resolve() / "web" / "index.html").exists()]
    if not pages or not CHROMIUM.exists() or importlib.util.find_spec("playwright") is None:
        print("page: needs a release with a web page, Debian's chromium, and playwright (make check installs it)")
        return
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only `make check` installs it

    with sync_playwright() as driver:
        for page in pages:
            browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
            _measure(browser, page)
            browser.close()


def _measure(browser: Any, address: Path) -> None:
    page = browser.new_page(viewport=WIDE)
    page.add_init_script(WATCH)
    page.goto(address.as_uri())
    page.wait_for_selector("body[data-drawn]", timeout=120_000)
    first, held = page.evaluate("[performance.now(), Math.max(0, ...tasks)]")
    tiles = page.evaluate("TWIN.state.shown.size")
    name = address.parents[1].name
    print(f"{name}: first view, {tiles} tiles: {first / 1e3:.1f} s, longest task {held:.0f} ms, {_seconds(browser)}")
    page.evaluate(COUNT)
    before = _gpu(browser)
    page.evaluate("tasks.length = 0")
    page.mouse.move(700, 450)
    for step in (-160, 160, -320, 320):
        page.mouse.down()
        page.mouse.move(700 + step, 450 + step // 2, steps=6)
        page.mouse.up()
        page.mouse.move(700, 450)
    page.wait_for_timeout(800)
    frames, held = page.evaluate("[frames_drawn, Math.max(0, ...tasks)]")
    print(
        f"  panning: {frames} frames, longest task {held:.0f} ms, {(_gpu(browser) - before) / frames:.2f} s of graphics a frame"
    )
    page.close()


def _processes(browser: Any) -> list[dict[str, Any]]:
    found: dict[str, list[dict[str, Any]]] = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    return found["processInfo"]


def _gpu(browser: Any) -> float:
    return sum(float(one["cpuTime"]) for one in _processes(browser) if one["type"] == "GPU")


def _seconds(browser: Any) -> str:
    told = _processes(browser)
    whole = sum(float(one["cpuTime"]) for one in told)
    return f"processor time {whole:.1f} s, of it graphics {_gpu(browser):.1f} s"
