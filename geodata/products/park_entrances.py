"""Entrances of parks as a municipality surveys them: points with the park's and the entrance's name."""

from __future__ import annotations

from geodata.products.model import Product, Signature

PARK_ENTRANCES = Product(
    key="PARK_ENTRANCES",
    role="park_entrances",
    ko="공원 출입구 조사",
    en="survey of park entrances",
    agency="지방자치단체 공원 부서",
    download="시·군·구 공원 부서의 조사 자료 (점). 전국 공통 자료는 없음. 다른 열 이름은 사이트 파일 sources: park_entrances 에 적는다",
    licence="",
    attribution="",
    columns={
        "source_id": ("출입구번호", "ENTRNC_NO", "관리번호"),
        "park_name": ("공원명", "PARK_NM"),
        "name": ("출입구명", "ENTRNC_NM", "출입구구분", "ENTRNC_SE"),
    },
    # names of two things that no other layer of points has together
    signature=Signature(needs=("park_name", "name"), geometry=("point",)),
    key_column="source_id",
)
