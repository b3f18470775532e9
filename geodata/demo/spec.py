"""The two demo sites as they are designed: where the stream runs, where hills stand and what is built where.

Coordinates are metres east and north of `Design.origin`. A designed town looks like a town; the seed varies
everything smaller than a superblock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Points = tuple[tuple[float, float], ...]
Zone = Literal["newtown", "detached", "old_town", "village", "factory", "field"]
Size = Literal["town", "district"]

CRS = "EPSG:5186"


@dataclass(frozen=True)
class Hill:
    """An elongated hill: centre, height, half-axes and direction of the long axis (degrees clockwise from north)."""

    x: float
    y: float
    height_m: float
    long_m: float
    short_m: float
    azimuth_deg: float


@dataclass(frozen=True)
class Anchor:
    """A place of one kind of land; a larger reach claims ground from further away."""

    x: float
    y: float
    zone: Zone
    reach_m: float


@dataclass(frozen=True)
class Street:
    """A designed road: its centre line, and its width where it runs through town and through open country."""

    points: Points
    town_width_m: float
    country_width_m: float
    through: bool = False
    """True: the road crosses hills and streams; others end there."""


@dataclass(frozen=True)
class Design:
    """One demo site."""

    name: str
    title_ko: str
    title_en: str
    origin: tuple[float, float]
    """Local zero in EPSG:5186, on a whole 100 m."""
    outline: Points
    """Control points of the study area; scaled about the origin to `area_m2`."""
    area_m2: float
    district: Points | None
    """Control points of the project boundary; None: the study area itself."""
    margin_m: float
    """How far ground is made beyond the study area, so that features straddle and lie outside."""
    terrain_margin_m: float
    stream: Points
    tributaries: tuple[Points, ...]
    stream_width_m: float
    tributary_width_m: float
    valley_floor_m: tuple[float, float]
    """Height of the valley floor at the southern and at the northern edge."""
    valley_half_width_m: float
    hills: tuple[Hill, ...]
    forest_above_m: float
    """Ground this far above the valley floor is wooded."""
    ladder_p: tuple[float, ...]
    """Offsets of the roads that run along the valley, metres east of the stream."""
    ladder_q: tuple[float, ...]
    """Northings of the roads that cross it."""
    spine_p: tuple[float, ...]
    spine_q: tuple[float, ...]
    """Those of the ladder that are main roads; they cross the stream and hills."""
    streets: tuple[Street, ...]
    anchors: tuple[Anchor, ...]
    homes: int
    """Homes of the land-use plan."""
    plot_scale: float
    """Area of a plot against the usual."""
    block_scale: float
    """Area of a block against the usual: a small site has smaller blocks, so that it has several of each kind."""
    road_scale: float
    """Width of a road against the usual."""


DISTRICT = Design(
    name="demo_district",
    title_ko="가상 신도시 (데모, 12.7 km²)",
    title_en="Imaginary new town (demo, 12.7 km2)",
    origin=(186200.0, 537200.0),
    outline=(
        (-1500, 2550),
        (-900, 2950),
        (-150, 2750),
        (450, 2950),
        (1100, 2400),
        (1700, 1750),
        (1620, 950),
        (2000, 150),
        (1720, -750),
        (1300, -1300),
        (1080, -2150),
        (350, -2750),
        (-500, -2600),
        (-1000, -1900),
        (-1600, -1250),
        (-1450, -400),
        (-1900, 300),
        (-1720, 1100),
        (-1950, 1800),
    ),
    area_m2=12_710_000.0,
    district=None,
    margin_m=150.0,
    terrain_margin_m=450.0,
    stream=(
        (950, -3700),
        (620, -2850),
        (280, -2050),
        (-120, -1350),
        (-180, -550),
        (-430, 250),
        (-330, 1050),
        (-620, 1850),
        (-480, 2700),
        (-780, 3700),
    ),
    tributaries=(
        ((2700, -420), (1750, 60), (1080, 220), (480, 520), (-40, 860), (-350, 1120)),
        ((-2500, -520), (-1650, -380), (-1000, -160), (-420, 230)),
    ),
    stream_width_m=52.0,
    tributary_width_m=20.0,
    valley_floor_m=(24.0, 9.0),
    valley_half_width_m=620.0,
    hills=(
        Hill(2150, 1350, 165, 1000, 480, 170),
        Hill(1780, -1350, 150, 900, 520, 20),
        Hill(-1600, -1950, 120, 900, 480, 35),
        Hill(-2250, 1250, 110, 900, 420, 5),
        Hill(900, -650, 62, 330, 210, 60),
        Hill(-1060, 620, 58, 330, 190, 150),
        Hill(420, 2050, 52, 300, 190, 100),
        Hill(1350, 560, 40, 260, 150, 30),
        Hill(620, -2500, 75, 380, 240, 120),
        Hill(-900, -1150, 40, 280, 150, 70),
        Hill(-1500, 2250, 55, 420, 230, 140),
        Hill(1400, 2700, 90, 500, 300, 40),
        Hill(-600, -2900, 80, 500, 300, 90),
    ),
    forest_above_m=17.0,
    ladder_p=(-2060, -1690, -1330, -960, -560, -190, 240, 660, 1040, 1420, 1830, 2250),
    ladder_q=(-3050, -2620, -2210, -1780, -1390, -960, -560, -170, 260, 660, 1080, 1490, 1870, 2290, 2680, 3080),
    spine_p=(-560, 660),
    spine_q=(-1390, -170, 1080, 2290),
    streets=(
        Street(
            ((-2600, -1050), (-1500, -760), (-650, -900), (250, -1120), (1150, -1020), (2600, -300)),
            44.0,
            44.0,
            through=True,
        ),
        Street(
            (
                (240, 3300),
                (120, 2500),
                (300, 1700),
                (900, 1150),
                (1180, 400),
                (1000, -250),
                (560, -700),
                (420, -1500),
                (760, -2300),
                (1300, -3100),
            ),
            24.0,
            12.0,
        ),
    ),
    anchors=(
        Anchor(520, 300, "newtown", 560),
        Anchor(260, 1350, "newtown", 520),
        Anchor(760, 1000, "newtown", 430),
        Anchor(120, -420, "newtown", 420),
        Anchor(900, 1650, "newtown", 330),
        Anchor(-30, 1900, "newtown", 260),
        Anchor(1180, 40, "detached", 330),
        Anchor(620, -260, "detached", 240),
        Anchor(1020, 2050, "detached", 330),
        Anchor(-250, -900, "detached", 230),
        Anchor(650, 1500, "detached", 190),
        Anchor(-140, 900, "detached", 200),
        Anchor(-240, 2500, "old_town", 420),
        Anchor(-820, 2420, "old_town", 360),
        Anchor(350, 2550, "old_town", 330),
        Anchor(-900, 1650, "factory", 400),
        Anchor(-1450, 1350, "factory", 390),
        Anchor(-1380, 250, "factory", 420),
        Anchor(-820, -560, "factory", 290),
        Anchor(-1450, -650, "factory", 250),
        Anchor(100, -2250, "factory", 300),
        Anchor(-1350, 1950, "village", 280),
        Anchor(-800, 1020, "village", 250),
        Anchor(-820, 330, "village", 240),
        Anchor(-1150, -1450, "village", 300),
        Anchor(-330, -1900, "village", 320),
        Anchor(700, -1500, "village", 330),
        Anchor(1250, -850, "village", 230),
        Anchor(1600, 750, "village", 250),
        Anchor(1750, 100, "village", 250),
        Anchor(420, -1950, "village", 230),
        Anchor(-700, -2350, "village", 240),
        Anchor(840, -2300, "village", 240),
        Anchor(-1650, 750, "village", 230),
        Anchor(1350, 1600, "village", 250),
        Anchor(-1200, -250, "village", 200),
        Anchor(-520, 560, "field", 330),
        Anchor(-640, 1350, "field", 310),
        Anchor(-480, -250, "field", 310),
        Anchor(-560, -1350, "field", 380),
        Anchor(100, -1550, "field", 360),
        Anchor(700, -1950, "field", 260),
        Anchor(-60, -2650, "field", 300),
        Anchor(-1000, 2050, "field", 250),
        Anchor(1050, -1750, "field", 300),
        Anchor(-1750, 1650, "field", 300),
        Anchor(1500, -350, "field", 300),
        Anchor(-560, 2050, "field", 200),
    ),
    homes=67_000,
    plot_scale=0.8,
    block_scale=1.0,
    road_scale=1.0,
)

TOWN = Design(
    name="demo_town",
    title_ko="가상 신도시 (데모, 1 km²)",
    title_en="Imaginary new town (demo, 1 km2)",
    origin=(185700.0, 538700.0),
    outline=(
        (-520, -330),
        (-200, -540),
        (180, -500),
        (470, -420),
        (600, -60),
        (540, 300),
        (250, 520),
        (-120, 560),
        (-430, 450),
        (-600, 90),
    ),
    area_m2=1_000_000.0,
    district=(
        (-280, -500),
        (180, -500),
        (470, -420),
        (600, -60),
        (540, 300),
        (250, 520),
        (-120, 545),
        (-330, 400),
        (-500, 90),
        (-500, -200),
    ),
    margin_m=90.0,
    terrain_margin_m=400.0,
    stream=((-60, -1300), (-130, -700), (-60, -330), (-190, 60), (-120, 420), (-230, 800), (-160, 1300)),
    tributaries=(((-900, -160), (-560, -60), (-340, 40), (-185, 50)),),
    stream_width_m=34.0,
    tributary_width_m=11.0,
    valley_floor_m=(17.0, 12.0),
    valley_half_width_m=330.0,
    hills=(
        Hill(720, 260, 105, 420, 210, 165),
        Hill(-640, 420, 80, 330, 190, 20),
        Hill(-560, -520, 60, 300, 190, 130),
        Hill(250, 20, 22, 120, 75, 40),
        Hill(640, -520, 55, 300, 170, 60),
    ),
    forest_above_m=12.0,
    ladder_p=(-760, -560, -400, -255, -95, 70, 255, 420, 590, 760),
    ladder_q=(-820, -640, -450, -270, -95, 100, 290, 470, 660, 820),
    spine_p=(70,),
    spine_q=(-270, 290),
    streets=(Street(((60, 820), (90, 520), (330, 330), (400, 60), (330, -200), (420, -480), (500, -820)), 20.0, 10.0),),
    anchors=(
        Anchor(180, 210, "newtown", 220),
        Anchor(130, -80, "newtown", 150),
        Anchor(60, 440, "newtown", 130),
        Anchor(400, -80, "newtown", 120),
        Anchor(370, -300, "detached", 125),
        Anchor(120, -420, "detached", 150),
        Anchor(470, 110, "detached", 80),
        Anchor(60, -250, "newtown", 150),
        Anchor(-20, -440, "old_town", 90),
        Anchor(-430, 130, "village", 120),
        Anchor(-330, 330, "village", 115),
        Anchor(-400, -290, "village", 110),
        Anchor(480, 320, "village", 90),
        Anchor(-300, -130, "factory", 105),
        Anchor(-260, 470, "factory", 85),
        Anchor(-210, -330, "field", 150),
        Anchor(-300, 170, "field", 120),
        Anchor(-460, -80, "field", 130),
        Anchor(350, -430, "field", 60),
    ),
    homes=5_300,
    plot_scale=0.97,
    block_scale=0.55,
    road_scale=0.75,
)

DESIGNS: dict[Size, Design] = {"town": TOWN, "district": DISTRICT}
