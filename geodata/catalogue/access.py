"""Declarations of the way on foot to parks: columns of buildings and sums, and the layer of homes that no park serves."""

from __future__ import annotations

from geodata.catalogue.model import Choice, Field, Layer
from geodata.catalogue.shared import DONG_CODE

RESIDENT_SOURCES = {
    "homes": Choice(ko="세대수 × 가구당 사람 수", en="homes × persons in each"),
    "floor_area": Choice(ko="연면적에서 추정", en="estimated from gross floor area"),
    "footprint": Choice(ko="바닥면적 × 층수에서 추정", en="estimated from footprint × floors"),
}

NETWORK_SOURCES = {
    "roads": Choice(ko="도로중심선", en="road centrelines"),
    "plan": Choice(ko="계획 도로와 남는 길", en="roads of the plan and the streets that stay"),
    "parcels": Choice(ko="지목이 도로인 필지에서 만든 중심선", en="centrelines made from road parcels"),
    "land_cover": Choice(ko="토지피복 도로에서 만든 중심선", en="centrelines made from roads of the land cover"),
}

REASONS = {
    "no_park": Choice(ko="셀 수 있는 공원이 없음", en="there is no park that counts"),
    "no_network": Choice(ko="가까운 길을 알 수 없음", en="no street is known nearby"),
    "disconnected": Choice(ko="길이 공원까지 이어지지 않음", en="the street leads to no park"),
}

UNSERVED = {"far": Choice(ko="300 m보다 멂", en="farther than 300 m"), **REASONS}

ENTRANCE_SOURCES = {
    "surveyed": Choice(ko="조사한 출입구", en="surveyed entrances"),
    "met": Choice(ko="보행망과 만나는 곳", en="where streets meet the park"),
    "nearest": Choice(ko="가장 가까운 보행망 지점", en="nearest point of the walking network"),
}

RESIDENTS = Field(name="residents", kind="real", ko="추정 주민 수", en="Residents, estimated", decimals=1, minimum=0, required=False,
                  about_ko="세대수, 없으면 주거용 연면적에서 추정한 값. 주거용이 아닌 건물과 상가 위 주택은 세지 않는다",
                  about_en="from homes, else from the floor area of residential buildings; homes above shops are not known and not counted")
WALK = Field(name="park_distance_m", kind="real", ko="공원까지 걷는 거리", en="Distance on foot to a park", unit="m", decimals=0, minimum=0, required=False,
             about_ko="0.5 ha 이상 공원의 출입구까지 보행망을 따라 잰 거리. 길이 없으면 비어 있다",
             about_en="along the walking network to the entrance of the nearest park of at least 0.5 ha; empty where there is no way")
STRAIGHT = Field(name="park_straight_m", kind="real", ko="공원까지 직선거리", en="Straight distance to a park", unit="m", decimals=0, minimum=0, required=False)

BUILDING_ACCESS = (
    RESIDENTS,
    Field(name="residents_source", kind="text", ko="주민 수 출처", en="Where the residents are known from", choices=RESIDENT_SOURCES, required=False),
    WALK,
    STRAIGHT,
    Field(name="nearest_park_id", kind="text", ko="걸어서 가장 가까운 공원", en="Park nearest on foot", required=False),
    Field(name="park_300m", kind="boolean", ko="걸어서 300 m 안에 공원", en="Park within 300 m on foot", required=False,
          about_ko="길이 확인되지 않으면 아니오이며 까닭은 park_reason에 있다", about_en="no where no way is known; park_reason tells why"),
    Field(name="park_reason", kind="text", ko="공원 거리가 없는 까닭", en="Why there is no distance", choices=REASONS, required=False),
    Field(name="network_source", kind="text", ko="보행망 출처", en="What the walking network is made from", choices=NETWORK_SOURCES, required=False),
)
"""Of residential buildings; empty for all others."""

RESIDENT_SHARES = (
    RESIDENTS,
    Field(name="residents_300m_pct", kind="real", ko="걸어서 300 m 안에 공원이 있는 주민", en="Residents with a park within 300 m on foot", unit="%", decimals=1, minimum=0, maximum=100, required=False,
          about_ko="0.5 ha 이상 공원. 길이 확인되지 않은 주민은 분모에만 든다", about_en="parks of at least 0.5 ha; residents without a known way are in the denominator alone"),
)

PARK_SHARES = (
    Field(name="park_per_resident_m2", kind="real", ko="주민 1인당 공원 면적", en="Park area for each resident", unit="m2", decimals=1, minimum=0, required=False,
          about_ko="결정된 공원 면적을 추정 주민 수로 나눈 값", about_en="designated park area by estimated residents"),
    Field(name="park_standard_per_resident_m2", kind="real", ko="1인당 공원 면적 기준 (미검증)", en="Standard of park area for each resident (unverified)", unit="m2", decimals=1, minimum=0, required=False,
          about_ko="도시공원법 시행규칙의 도시지역 기준으로 알려진 값. 원문과 대조하지 않았으므로 적합 여부를 말하지 않는다",
          about_en="value known as the standard for urban areas; not checked against the text of the rule, so no compliance is told"),
)

PARK_ENTRANCE_FIELDS = (
    Field(name="entrance_source", kind="text", ko="출입구 출처", en="Where the entrances are known from", choices=ENTRANCE_SOURCES, required=False,
          about_ko="걸어갈 수 있는 공원에만 있다. 비어 있으면 세지 않는 시설이거나 길이 닿지 않는 공원",
          about_en="of parks that count for the way on foot; empty for others and where no street comes near"),
    Field(name="surveyed_entrance_count", kind="integer", ko="조사한 출입구 수", en="Surveyed entrances", minimum=1, required=False,
          about_ko="보행망에 이어진 것만 센다. 조사가 없는 공원은 비어 있다: 길과 나란한 경계 어디로나 들어간다고 본다",
          about_en="those that a street reaches; empty where nobody surveyed and the park is taken to be entered all along its streets"),
)

UNSERVED_BUILDINGS = Layer(
    name="unserved_buildings",
    ko="걸어서 300 m 안에 공원이 없는 주거 건물",
    en="Homes without a park within 300 m on foot",
    about_ko="0.5 ha 이상 공원까지 걸어서 300 m가 넘거나 길이 확인되지 않는 주거용 건물과 그 까닭.",
    about_en="Residential buildings from which a park of at least 0.5 ha is farther than 300 m on foot, or no way is known, and why.",
    geometry="MultiPolygon",
    key="building_id",
    fields=(
        Field(name="building_id", kind="text", ko="건물 식별자", en="Building", nullable=False, unique=True),
        DONG_CODE,
        Field(name="unserved_reason", kind="text", ko="까닭", en="Why", nullable=False, choices=UNSERVED),
        RESIDENTS,
        WALK,
        STRAIGHT,
    ),
)
