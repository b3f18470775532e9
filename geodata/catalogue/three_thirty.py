"""Declarations of the 3-30-300 rule: columns of residential buildings and shares of residents."""

from __future__ import annotations

from geodata.catalogue.model import Field

BUILDING_RULE = (
    Field(name="trees_in_sight", kind="integer", ko="보이는 나무 수 (3까지)", en="Trees in sight, up to 3", minimum=0, maximum=3, required=False,
          about_ko="외벽의 창에서 50 m 안에 보이는 나무. 수관을 8 m 격자로 나눈 추정이며 낱그루 조사가 아니다", about_en="from windows on the outer walls within 50 m; estimated from canopy in squares of 8 m, no survey of single trees"),
    Field(name="neighbourhood_canopy_pct", kind="real", ko="동네 수관 비율", en="Canopy of the neighbourhood", unit="%", decimals=1, minimum=0, maximum=100, required=False,
          about_ko="반경 300 m 안 토지피복이 알려진 땅 중 산림의 비율. 시가지 나무는 토지피복에 없으므로 하한", about_en="share of forest in the land cover that is known within 300 m; a lower bound, since the map does not see trees in town"),
    Field(name="score_3_30_300", kind="integer", ko="3-30-300 점수", en="3-30-300 score", minimum=0, maximum=3, required=False,
          about_ko="나무 3그루, 수관 30 %, 걸어서 300 m 안 공원 중 지킨 수. 하나라도 모르면 비어 있다", about_en="how many hold: 3 trees in sight, 30 % canopy, a park within 300 m on foot; empty where one is not known"),
)
"""Of residential buildings; empty for all others."""

RULE_SHARES = tuple(
    Field(name=name, kind="real", ko=ko, en=en, unit="%", decimals=1, minimum=0, maximum=100, required=False,
          about_ko="추정 주민 수 기준. 알 수 없는 주민은 분모에만 든다", about_en="of estimated residents; those for whom it is not known are in the denominator alone")
    for name, ko, en in (
        ("residents_3_trees_pct", "나무 3그루가 보이는 주민", "Residents with three trees in sight"),
        ("residents_30_canopy_pct", "동네 수관이 30 % 이상인 주민", "Residents with 30 % canopy around them"),
        ("residents_3_30_300_pct", "3-30-300을 모두 누리는 주민", "Residents for whom all of 3-30-300 holds"),
    )
)
