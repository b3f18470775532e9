"""A map of the extents of files over the legal dongs, as SVG that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.inspect_advice import all_dongs, extent
from geodata.inspect_rows import FileRow
from geodata.map_sheets import sheets_over
from geodata.site import ROLE_TITLES, Role
from geodata.study_area import StudyArea

WIDTH, HEIGHT = 900.0, 660.0
"""Size of the drawing [px]."""
PAD = 0.08
DEFAULT_CRS = "EPSG:5186"
SMALLEST_VIEW_M = 1000.0
GAP_M = 60.0
LARGEST_SHEETS = 80
"""Sheet lines are drawn for at most this many sheets."""
MOST_NAMES = 60

# told apart by colour-blind readers in neighbouring pairs, and dark enough to be read as text on white
COLOURS: dict[Role, str] = {
    "parcels": "#b45309",
    "buildings": "#be123c",
    "land_cover": "#15803d",
    "parks": "#4d7c0f",
    "terrain": "#6d28d9",
    "weather": "#0369a1",
    "plan_blocks": "#a21caf",
    "district": "#111827",
    "roads": "#57534e",
    "land_characteristics": "#92400e",
    "land_use_regulation": "#9f1239",
    "zoning": "#c026d3",
    "building_register": "#7f1d1d",
    "roof_planes": "#ea580c",
    "ndvi": "#047857",
    "surface_model": "#4338ca",
    "park_entrances": "#0e7490",
    "footways": "#78716c",
    "bus_stops": "#1d4ed8",
}
_COMPASS = ("북", "북동", "동", "남동", "남", "남서", "서", "북서")


@dataclass(frozen=True)
class MapDrawing:
    """A finished map."""

    svg: str
    numbers: dict[str, int]
    """Number of each row on the map, by the row's path; also of those outside."""
    outside: tuple[tuple[int, str], ...]
    """Rows that do not reach the map: number and where they lie."""


def draw_extents(rows: Sequence[FileRow], area: StudyArea | None) -> MapDrawing | None:
    """Return a map of all rows that lie somewhere, over the study area or, without one, over themselves.

    None if there is neither a study area nor a file that lies in Korea.
    """
    crs = DEFAULT_CRS if area is None else area.crs
    frames = [(row, shape) for row in rows if row.part is not None and (shape := _place(row, crs)) is not None]
    view = _view(area, [shape for row, shape in frames if row.dataset and row.dataset.role != "weather"])
    if view is None:
        return None
    scale = WIDTH / (view[2] - view[0])
    window = shapely.box(*view)
    numbers = {row.path: number for number, (row, _) in enumerate(frames, 1)}
    outside = tuple(
        (numbers[row.path], _direction(window, shape)) for row, shape in frames if not shape.intersects(window)
    )
    frames_drawn, badges = _extents(
        [(row, shape) for row, shape in frames if shape.intersects(window)], numbers, view, scale
    )
    ground, names, own, shapes = _dongs(view, window, area, scale)
    pieces = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" '
            'aria-label="자료 범위 지도 · map of extents">'
        ),
        f'<rect width="{WIDTH:.0f}" height="{HEIGHT:.0f}" fill="#f6f7f4"/>',
        *ground,
        *_sheet_lines(view, area, scale),
        *frames_drawn,
        *_names(view, (names, own, shapes), scale),
        *badges,
        *_furniture(scale),
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1:.0f}" height="{HEIGHT - 1:.0f}" fill="none" stroke="#9aa19a"/></svg>',
    ]
    return MapDrawing("\n".join(pieces), numbers, outside)


def _place(row: FileRow, crs: str) -> BaseGeometry | None:
    part = row.part
    if part is None or part.bounds is None:
        return None
    if part.kind == "weather":
        return gpd.GeoSeries([shapely.Point(part.bounds[:2])], crs="EPSG:4326").to_crs(crs).iloc[0]
    return extent(part, crs)


def _view(area: StudyArea | None, shapes: list[BaseGeometry]) -> tuple[float, float, float, float] | None:
    if area is not None:
        bounds = area.area.bounds
    elif shapes:
        bounds = shapely.union_all(shapes).bounds
    else:
        return None
    x, y = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    width = max((bounds[2] - bounds[0]) * (1 + 2 * PAD), SMALLEST_VIEW_M)
    height = max((bounds[3] - bounds[1]) * (1 + 2 * PAD), SMALLEST_VIEW_M)
    width, height = max(width, height * WIDTH / HEIGHT), max(height, width * HEIGHT / WIDTH)
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _path(shape: BaseGeometry, view: tuple[float, float, float, float], scale: float) -> str:
    """Return the SVG path of a polygon."""
    told = []
    for polygon in shapely.get_parts(shape):
        if polygon.geom_type != "Polygon":
            continue
        for ring in (polygon.exterior, *polygon.interiors):
            xy = shapely.get_coordinates(ring)
            x, y = (xy[:, 0] - view[0]) * scale, (view[3] - xy[:, 1]) * scale
            told.append("M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x[:-1], y[:-1], strict=True)) + "Z")
    return "".join(told)


def _dongs(
    view: tuple[float, float, float, float], window: BaseGeometry, area: StudyArea | None, scale: float
) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Return the dongs and the study area drawn, and names, membership and shapes of the dongs."""
    dongs = all_dongs(DEFAULT_CRS if area is None else area.crs)
    dongs = dongs[dongs.intersects(window)]
    own = set() if area is None else set(area.dongs["dong_code"])
    shapes = shapely.simplify(shapely.intersection(dongs.geometry.to_numpy(), window), 0.6 / scale)
    pieces = []
    for shape, code in zip(shapes, dongs["dong_code"], strict=True):
        path = _path(shape, view, scale)
        if path:
            fill = "#fffdf3" if code in own else "#eef0ea"
            pieces.append(f'<path d="{path}" fill="{fill}" stroke="#c3c9bf" stroke-width="0.8"/>')
    if area is not None:
        # neighbouring dongs were simplified apart: gaps of a few metres between them are no border
        closed = shapely.buffer(shapely.buffer(area.area, GAP_M, join_style="mitre"), -GAP_M, join_style="mitre")
        path = _path(shapely.simplify(closed, 0.6 / scale), view, scale)
        pieces.append(f'<path d="{path}" fill="none" stroke="#3f4a3f" stroke-width="2.2" stroke-linejoin="round"/>')
    return pieces, dongs["name_ko"].to_numpy(), dongs["dong_code"].isin(own).to_numpy(), shapes


def _names(
    view: tuple[float, float, float, float], dongs: tuple[np.ndarray, np.ndarray, np.ndarray], scale: float
) -> list[str]:
    """Return the names of the largest dongs and of those of the study area; ``dongs`` are names, membership and shapes."""
    names, own, shapes = dongs
    pieces = []
    size = shapely.area(shapes) * scale * scale
    chosen = np.argsort(-size, kind="stable")[:MOST_NAMES]
    for i in chosen:
        if size[i] < 1200 and not own[i]:
            continue
        point = shapely.point_on_surface(shapes[i])
        x, y = (point.x - view[0]) * scale, (view[3] - point.y) * scale
        style = 'font-size="15" font-weight="700" fill="#273127"' if own[i] else 'font-size="11.5" fill="#7d857a"'
        pieces.append(
            f'<text x="{x:.1f}" y="{y:.1f}" {style} text-anchor="middle" paint-order="stroke" stroke="#ffffff" '
            f'stroke-width="3" stroke-linejoin="round">{escape(str(names[i]))}</text>'
        )
    return pieces


def _sheet_lines(view: tuple[float, float, float, float], area: StudyArea | None, scale: float) -> list[str]:
    """Return the frames of the 1:5,000 sheets with the last three digits of their numbers."""
    if area is None:
        return []
    sheets = sheets_over(view, area.crs)
    if len(sheets) > LARGEST_SHEETS:
        return []
    needed = sheets.intersection(area.area).area.to_numpy() > 100.0
    pieces = []
    for shape, number, wanted in zip(sheets.geometry, sheets["number"], needed, strict=True):
        pieces.append(
            f'<path d="{_path(shape, view, scale)}" fill="none" stroke="#8a9486" stroke-width="0.6" stroke-dasharray="2 3"/>'
        )
        if wanted:
            x, y = (shape.bounds[0] - view[0]) * scale + 5, (view[3] - shape.bounds[3]) * scale + 14
            pieces.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="10" fill="#6b7468">{number[5:]}</text>')
    return pieces


def _extents(
    frames: list[tuple[FileRow, BaseGeometry]],
    numbers: dict[str, int],
    view: tuple[float, float, float, float],
    scale: float,
) -> tuple[list[str], list[str]]:
    """Return the frames of the files, and the badges with their numbers."""
    pieces: list[str] = []
    badges: list[str] = []
    taken: list[tuple[float, float]] = []
    window = shapely.box(*view)
    # large frames first, so that small ones lie on top of them
    for row, shape in sorted(frames, key=lambda pair: (-pair[1].area, numbers[pair[0].path])):
        colour = COLOURS[row.dataset.role] if row.dataset else "#444444"
        title = f"<title>{escape(row.path)} · {escape(row.ko)}</title>"
        number = numbers[row.path]
        if shape.geom_type == "Point":
            x, y = (shape.bounds[0] - view[0]) * scale, (view[3] - shape.bounds[1]) * scale
            pieces.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}" stroke="#fff" stroke-width="1.5">{title}</circle>'
            )
            anchor = (x + 14, y)
        else:
            path = _path(shape, view, scale)
            # a frame around everything would only grey the map
            tint = 0.0 if shapely.covers(shape, shapely.buffer(window, -0.12 * (view[2] - view[0]))) else 0.06
            pieces.append(
                f'<path d="{path}" fill="{colour}" fill-opacity="{tint:g}" stroke="{colour}" stroke-width="1.8">{title}</path>'
            )
            seen = shapely.bounds(shape.intersection(window))
            anchor = ((seen[0] - view[0]) * scale + 13, (view[3] - seen[3]) * scale + 13)
        x, y = _free(anchor, taken)
        taken.append((x, y))
        badges.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9.5" fill="{colour}" stroke="#ffffff" stroke-width="1.2"/>'
            f'<text x="{x:.1f}" y="{y + 3.8:.1f}" font-size="11" font-weight="700" fill="#ffffff" text-anchor="middle">{number}</text>'
        )
    return pieces, badges


def _free(anchor: tuple[float, float], taken: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the place nearest to ``anchor`` where no number stands yet."""
    x, y = (float(np.clip(value, 13, limit - 13)) for value, limit in zip(anchor, (WIDTH, HEIGHT), strict=True))
    steps = np.arange(-12, 13) * 21.0
    dx, dy = (grid.ravel() for grid in np.meshgrid(steps, steps))
    # beside rather than above, to the right rather than to the left
    order = np.lexsort((-dx, np.abs(dy), np.hypot(dx, dy).round(3)))
    for right, down in zip(dx[order], dy[order], strict=True):
        place = (x + right, y + down)
        inside = 12 <= place[0] <= WIDTH - 12 and 12 <= place[1] <= HEIGHT - 12
        if inside and all(abs(place[0] - a) >= 20 or abs(place[1] - b) >= 20 for a, b in taken):
            return place
    return x, y


def _furniture(scale: float) -> list[str]:
    """Return a scale bar and an arrow to the north."""
    wanted = 160.0 / scale
    power = 10.0 ** np.floor(np.log10(wanted))
    length = float(max(step * power for step in (1, 2, 5) if step * power <= wanted))
    label = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    end = WIDTH - 24
    start, y = end - length * scale, HEIGHT - 22
    return [
        f'<g stroke="#273127" stroke-width="2"><path d="M{start:.1f} {y - 5}V{y}H{end}V{y - 5}" fill="none"/></g>',
        (
            f'<text x="{(start + end) / 2:.1f}" y="{y - 8}" font-size="12" text-anchor="middle" fill="#273127" paint-order="stroke" '
            f'stroke="#fff" stroke-width="3">{label}</text>'
        ),
        (
            f'<path d="M{end - 8} 24l8 22-8-5-8 5z" fill="#273127"/>'
            f'<text x="{end - 8}" y="60" font-size="12" text-anchor="middle" fill="#273127">N</text>'
        ),
    ]


def _direction(window: BaseGeometry, shape: BaseGeometry) -> str:
    """Return where a shape lies as seen from the middle of the map."""
    here, there = window.centroid, shape.centroid
    east, north = there.x - here.x, there.y - here.y
    azimuth = np.degrees(np.arctan2(east, north)) % 360.0
    return f"{_COMPASS[int(np.round(azimuth / 45.0)) % 8]}쪽 {np.hypot(east, north) / 1000:,.0f} km"


def legend(roles: Sequence[Role]) -> str:
    """Return the legend of the map as HTML."""
    items = [
        f'<span class="key"><i style="background:{COLOURS[role]}"></i>{escape(ROLE_TITLES[role][0])} '
        f"<small>{escape(ROLE_TITLES[role][1])}</small></span>"
        for role in roles
    ]
    return f'<p class="legend">{"".join(items)}</p>'
