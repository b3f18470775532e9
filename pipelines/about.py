"""The words and marks that everything made from one site carries."""

from __future__ import annotations

from geodata.site import Site
from twin.publish.about import ReleaseAbout

RIGHTS = (
    "지적·건물·토지피복 자료는 원 기관의 이용조건을 따른다. 연속지적도는 참고용이며 측량 성과가 아니다. · "
    "Cadastre, buildings and land cover follow the terms of their agencies; the cadastral map is for reference, not survey-grade."
)
LINEAGE = "입력과 처리 내용은 run_info와 quality 표에 있다. · Inputs and processing are told in the tables run_info and quality."


def release_about(site: Site, timestamp: str, *, unshaded: bool) -> ReleaseAbout:
    """Return the marks of ``site``; ``timestamp`` is the newest vintage of its inputs.

    ``unshaded`` says that what surrounds a roof does not obstruct its sun yet.
    """
    return ReleaseAbout(
        title_ko=site.title.ko,
        title_en=site.title.en,
        crs=site.crs,
        timestamp=timestamp,
        unshaded=unshaded,
        demo=site.demo,
        rights=RIGHTS,
        lineage=LINEAGE,
    )
