"""Everything that can be wrong with a file of the inbox, in the words its owner reads."""

from __future__ import annotations

from dataclasses import dataclass

from geodata.inventory import Problem


@dataclass(frozen=True)
class Wording:
    """What is wrong and what to do, in both languages; ``fatal`` makes a run refuse."""

    fatal: bool
    ko: str
    en: str
    remedy_ko: str
    remedy_en: str


WORDINGS: dict[str, Wording] = {
    # archives
    "zip_damaged": Wording(
        True,
        "압축 파일이 잘렸거나 손상됨 ({detail})",
        "the zip is truncated or damaged ({detail})",
        "다시 내려받거나 복사하고 손상된 것은 지우세요",
        "download or copy it again and remove the damaged one",
    ),
    "zip_unsafe": Wording(
        True,
        "안전하지 않은 압축 파일 ({detail})",
        "the zip is not safe to read: {detail}",
        "내용을 확인한 뒤 필요한 파일만 풀어서 넣으세요",
        "look at its content and put only the files you need into the inbox",
    ),
    "zip_too_deep": Wording(
        False,
        "압축 안의 압축 안의 압축은 열지 않음",
        "a zip inside a zip inside a zip is not opened",
        "안쪽 압축 파일을 입력 폴더에 직접 넣으세요",
        "put the inner zip into the inbox itself",
    ),
    "zip_misnamed": Wording(
        False,
        "이름과 달리 압축 파일임: 압축 파일로 읽음",
        "the file is a zip whatever its name says; it is read as a zip",
        "이름을 .zip으로 바꾸는 것이 좋습니다",
        "rename it to .zip",
    ),
    # files
    "same_name": Wording(
        True,
        "유니코드 표기만 다른 같은 이름의 파일이 둘 있음",
        "two files have the same name in different Unicode forms",
        "하나를 지우거나 이름을 바꾸세요",
        "remove or rename one of them",
    ),
    "empty_file": Wording(
        True, "빈 파일(0 바이트)", "the file is empty (0 bytes)", "다시 복사하세요", "copy it again, or remove it"
    ),
    "part_missing": Wording(
        True,
        "셰이프파일 구성 파일이 없음: {detail}",
        "the shapefile is incomplete, missing: {detail}",
        "받은 파일 전부(.shp .shx .dbf .prj)를 함께 넣으세요",
        "copy all its files (.shp .shx .dbf .prj) together",
    ),
    "shapefile_truncated": Wording(
        True,
        "셰이프파일이 잘림 ({detail})",
        "the shapefile is truncated ({detail})",
        "다시 복사하거나 내려받으세요",
        "copy or download it again",
    ),
    "unreadable": Wording(
        True,
        "읽을 수 없음: {detail}",
        "it cannot be read: {detail}",
        "다시 내려받거나 폴더에서 지우세요",
        "download it again, or remove it from the inbox",
    ),
    "change_only": Wording(
        True,
        "변동분(CH_D) 자료라 전체 자료로 쓸 수 없음",
        "a change-only delivery (CH_D) is not a full layer and is refused",
        "전체 자료(AL_D…)를 내려받고 이 파일은 지우세요",
        "download the full delivery (AL_D…) and remove this one",
    ),
    "not_recognised": Wording(
        False,
        "알려진 자료가 아니라 쓰지 않음",
        "no known product; it is not used ({detail})",
        "쓰려면 사이트 파일 sources에 경로와 columns를 적으세요",
        "to use it, name its path and columns under `sources` of the site file",
    ),
    "points_scattered": Wording(
        False,
        "지형 점 자료가 규칙적인 격자가 아니라 쓰지 않음",
        "points with heights that are no regular grid: {detail}",
        "수치표고모델을 래스터(.img, .tif)나 격자 XYZ로 받으세요",
        "get the elevation model as a raster (.img, .tif) or as a gridded XYZ file",
    ),
    "empty_layer": Wording(
        False,
        "레코드가 없음",
        "the layer has no records",
        "올바른 파일인지 확인하세요",
        "check that this is the file you meant",
    ),
    "weather_rows": Wording(
        True,
        "기상 자료가 {detail}행임 (8,760행이어야 함)",
        "the weather file has {detail} hourly rows instead of 8,760",
        "한 해 전체가 든 파일을 받으세요",
        "get a file with a whole year of 365 days",
    ),
    "city_elsewhere": Wording(
        False,
        "한국 밖의 3차원 건물 모델이라 쓰지 않음 ({detail})",
        "the city model lies outside Korea; it is not used ({detail})",
        "지워도 됩니다. 대상 지역의 모델을 넣으세요",
        "it can be removed; put a model of the study area into the inbox",
    ),
    "city_second": Wording(
        False,
        "다른 건물 자료가 있어 이 모델에서는 지붕면만 읽음",
        "another source has the buildings; only the roof planes of this model are read",
        "할 일 없음",
        "nothing to do",
    ),
    "band_alone": Wording(
        False,
        "짝이 되는 밴드가 없어 쓰지 않음: {detail}",
        "the other band of the scene is missing, so it is not used: {detail}",
        "같은 영상의 두 밴드를 같은 폴더에 함께 넣으세요",
        "put both bands of one scene into one folder",
    ),
    "weather_elsewhere": Wording(
        False,
        "기상 관측 지점이 한국 밖임 ({detail})",
        "the weather station is not in Korea ({detail})",
        "가까운 지점의 파일을 쓰세요",
        "use the file of a station near the site",
    ),
    # text
    "text_damaged": Wording(
        False,
        "글자가 원본에서 이미 깨져 있음: 값 {detail}개",
        "text was already damaged before it came here: {detail} distinct values",
        "그대로 두고 표시함. 원본을 다시 받으면 고쳐집니다",
        "it is kept and flagged; only a new download can mend it",
    ),
    "encoding_declared_wrong": Wording(
        False,
        "선언된 문자 인코딩이 틀림: {detail}",
        "the declared encoding is wrong: {detail}",
        "할 일 없음. 바이트를 보고 정한 인코딩으로 읽음",
        "nothing to do: the bytes decide",
    ),
    "codes_lost_digits": Wording(
        False,
        "코드가 실수로 저장되어 자릿수를 잃음: 열 {detail}",
        "codes were saved as floating-point numbers and lost digits: column {detail}",
        "문자열로 저장된 원본을 받으세요. 잃은 자릿수는 지어내지 않음",
        "get the original, where they are text; lost digits are not invented",
    ),
    # coordinate reference systems
    "crs_missing": Wording(
        True,
        "좌표계 정보(.prj)가 없음{detail}",
        "it has no coordinate reference system (.prj){detail}",
        ".prj를 함께 넣거나 사이트 파일 sources에 crs를 적으세요",
        "add its .prj, or give `crs` for this source in the site file",
    ),
    "crs_found": Wording(
        False,
        "좌표계 정보(.prj)가 없어 다른 자료와 겹쳐 찾음: {detail}",
        "it has no .prj; where its records lie tells its coordinate reference system: {detail}",
        "맞는지 확인하고, 틀리면 사이트 파일 sources에 crs를 적으세요",
        "check it; if it is wrong, give `crs` for this source in the site file",
    ),
    "crs_unknown": Wording(
        True,
        "알 수 없는 좌표계 정의: {detail}",
        "its coordinate reference system is none that is known: {detail}",
        "사이트 파일 sources에 crs(EPSG 코드)를 적으세요",
        "give `crs` (an EPSG code) for this source in the site file",
    ),
    "crs_contradicted": Wording(
        True,
        "좌표계 선언과 좌표값이 맞지 않음: {detail}",
        "its coordinate reference system and its numbers contradict each other: {detail}",
        "올바른 .prj를 넣거나 사이트 파일 sources에 crs를 적으세요",
        "put the right .prj beside it, or give `crs` for this source in the site file",
    ),
    "codes_elsewhere": Wording(
        False,
        "코드가 가리키는 법정동과 좌표가 다름: {detail}",
        "codes and coordinates disagree: {detail}",
        "올바른 지역의 자료인지, 좌표계가 맞는지 확인하세요",
        "check that the file is of this place and in this coordinate reference system",
    ),
    "crs_overruled": Wording(
        False,
        "사이트 파일의 좌표계를 씀: {detail}",
        "the site file overrules the file's own coordinate reference system: {detail}",
        "의도한 것이 아니면 사이트 파일의 crs를 지우세요",
        "remove `crs` from the site file if that is not meant",
    ),
    # several parts, editions and copies
    "part_number_missing": Wording(
        True,
        "나뉜 자료의 조각이 빠짐: {detail}",
        "a part of the delivery is missing: {detail}",
        "빠진 조각을 모두 내려받아 넣으세요",
        "download every part and put it beside the others",
    ),
    "part_full": Wording(
        False,
        "마지막 조각이 정확히 {detail}건: 다음 조각이 더 있을 수 있음",
        "the last part holds exactly {detail} records: there may be another part",
        "배포처에서 (2), (3) 조각이 있는지 확인하세요",
        "look at the source for further parts (2), (3)",
    ),
    "same_data": Wording(
        False,
        "{detail}와(과) 같은 자료라 쓰지 않음",
        "the same data as {detail}; it is not used",
        "지워도 됩니다",
        "it can be removed",
    ),
    "older_edition": Wording(
        False,
        "더 새로운 자료 {detail}이(가) 있어 쓰지 않음",
        "a newer edition is used instead: {detail}",
        "지워도 됩니다. 이것을 쓰려면 사이트 파일 sources에 적으세요",
        "it can be removed; to use it, name it under `sources` of the site file",
    ),
    "other_product": Wording(
        False,
        "같은 지역에 우선하는 자료 {detail}이(가) 있어 쓰지 않음",
        "another product is used for this place: {detail}",
        "이것을 쓰려면 사이트 파일 sources에 적으세요",
        "to use this one instead, name it under `sources` of the site file",
    ),
    "editions_mixed": Wording(
        True,
        "시점이나 종류가 다른 자료의 시군구가 일부만 겹침: {detail}",
        "editions cover some of the same municipalities: {detail}",
        "한쪽을 지우거나 사이트 파일 sources에 쓸 것을 적으세요",
        "remove one, or name the one to use under `sources` of the site file",
    ),
    "editions_overlap": Wording(
        False,
        "시점이 다른 자료가 일부 겹침: 새 자료가 우선함 ({detail})",
        "editions overlap in part; the newer comes first ({detail})",
        "할 일 없음",
        "nothing to do",
    ),
    # the site file
    "source_missing": Wording(
        True,
        "사이트 파일 sources.{detail}의 파일이 입력 폴더에 없음",
        "sources.{detail}.path of the site file is not in the inbox",
        "파일을 넣거나 경로를 고치세요",
        "put the file there, or correct the path",
    ),
    "source_unusable": Wording(
        True,
        "사이트 파일 sources.{detail}",
        "sources.{detail}",
        "사이트 파일의 이 항목을 고치세요",
        "correct this entry of the site file",
    ),
}


def problem(code: str, path: str, detail: object = "") -> Problem:
    """Return the problem called ``code`` of the file ``path``, in both languages."""
    wording = WORDINGS[code]
    text = str(detail)
    return Problem(
        path=path,
        what=f"{wording.en.format(detail=text)} · {wording.ko.format(detail=text)}",
        remedy=f"{wording.remedy_en} · {wording.remedy_ko}",
        fatal=wording.fatal,
    )
