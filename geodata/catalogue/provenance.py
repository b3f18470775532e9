"""Declarations of the tables that say where the numbers come from."""

from __future__ import annotations

from geodata.catalogue.model import Field, Layer

QUALITY = Layer(
    name="quality",
    ko="자료 품질 기록",
    en="Quality",
    about_ko="고치거나 합치거나 뺀 모든 레코드와 그 이유.",
    about_en="One row for each record that was repaired, merged, dropped or noted, with its reason.",
    geometry="Point",
    key=None,
    fields=(
        Field(name="source", kind="text", ko="자료", en="Source", nullable=False),
        Field(name="key", kind="text", ko="레코드", en="Record"),
        Field(name="reason", kind="text", ko="이유 코드", en="Reason code", nullable=False),
        Field(name="outcome", kind="text", ko="처리", en="Outcome", nullable=False),
        Field(name="reason_ko", kind="text", ko="이유", en="Reason (Korean)", nullable=False),
        Field(name="reason_en", kind="text", ko="이유(영문)", en="Reason", nullable=False),
        Field(name="detail", kind="text", ko="상세", en="Detail"),
    ),
)

RUN_INFO = Layer(
    name="run_info",
    ko="산출 정보",
    en="Run information",
    about_ko="입력 파일과 해시, 기준일, 이용조건, 소프트웨어 판, 매개변수, 일사량 보정.",
    about_en="Input files with hash, vintage and licence; software versions; parameters; resource correction.",
    geometry=None,
    key=None,
    fields=(
        Field(name="topic", kind="text", ko="분류", en="Topic", nullable=False),
        Field(name="name", kind="text", ko="항목", en="Name", nullable=False),
        Field(name="value", kind="text", ko="값", en="Value"),
        Field(name="unit", kind="text", ko="단위", en="Unit"),
        Field(name="source", kind="text", ko="출처", en="Source"),
        Field(name="verified", kind="boolean", ko="확인됨", en="Verified"),
        Field(name="note", kind="text", ko="비고", en="Note"),
    ),
)
