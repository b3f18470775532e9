"""The inspection as one self-contained page: no script, no font, no picture from elsewhere; it prints on A4."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from geodata.errors import InputError
from geodata.inspect_advice import Advice, advise
from geodata.inspect_map import COLOURS, MapDrawing, draw_extents, legend
from geodata.inspect_rows import FileRow, file_rows
from geodata.inventory import Inventory, Problem
from geodata.site import Site
from geodata.study_area import BOUNDARY_SOURCE, StudyArea, build_study_area

_MARKS = {"there": ("✓", "있음", "there"), "partly": ("◐", "일부", "partly"), "missing": ("✗", "없음", "missing")}

_STYLE = """
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0;background:#fff;color:#1c231c;font:15px/1.55 "Noto Sans KR","Noto Sans CJK KR","Apple SD Gothic Neo","Malgun Gothic",sans-serif;word-break:keep-all;overflow-wrap:anywhere}
main{max-width:1120px;margin:0 auto;padding:28px 36px 60px}
header{border-bottom:3px solid #1f4d3a;padding-bottom:14px;margin-bottom:20px}
h1{font-size:30px;margin:0;letter-spacing:-.02em}
h2{font-size:20px;margin:34px 0 10px;color:#1f4d3a}
h1 small,h2 small,th small,.en{font-weight:400;color:#687068;font-size:.72em;letter-spacing:0}
.en{font-size:.86em}
.where{margin:6px 0 0;color:#404940}
.chips{display:grid;grid-template-columns:repeat(4,1fr);gap:12px;margin:18px 0 0}
.chip{border:1px solid #d8ddd4;border-radius:8px;padding:10px 14px;background:#fafbf8}
.chip b{display:block;font-size:28px;line-height:1.15}
.chip.bad{background:#fdf0ee;border-color:#e5a69b}.chip.bad b{color:#b3261e}
.chip.good b{color:#1b7340}
.verdict{margin:14px 0 0;padding:10px 14px;border-radius:8px;font-weight:600}
.verdict.bad{background:#fdf0ee;color:#8f1d16}.verdict.good{background:#edf6ef;color:#155e34}
.roles{display:grid;grid-template-columns:repeat(3,1fr);gap:8px}
.role{display:flex;gap:10px;border:1px solid #d8ddd4;border-left-width:6px;border-radius:6px;padding:7px 10px;align-items:flex-start}
.role .mark{flex:none;font-size:18px;line-height:1.3;font-weight:700;width:1.1em;text-align:center}
.there .mark{color:#1b7340}.partly .mark{color:#a16207}.missing .mark{color:#b3261e}
.role.missing:not(.main),.role.missing:not(.main) .mark{color:#687068}
.role p{margin:0;font-size:13px;color:#404940}.role b{font-size:15px}
figure{margin:0}svg{width:100%;height:auto;display:block;font-family:inherit}
figcaption,.note{font-size:12.5px;color:#596159;margin:6px 0 0}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;margin:8px 0 0;font-size:13px}
.key i{display:inline-block;width:13px;height:13px;border-radius:3px;margin-right:6px;vertical-align:-1px}
table{width:100%;border-collapse:collapse;font-size:13.5px}
th{text-align:left;background:#eef2ec;border-bottom:2px solid #b9c2b4;padding:6px 8px;vertical-align:bottom;white-space:nowrap}
td{border-bottom:1px solid #dfe3dc;padding:6px 8px;vertical-align:top}
td.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
tr{break-inside:avoid}
tr.off td{color:#7b837a}
.no{display:inline-block;min-width:21px;border-radius:11px;color:#fff;font-weight:700;font-size:12px;text-align:center;padding:0 4px}
.tag{display:inline-block;border-radius:4px;padding:0 6px;font-size:12px;font-weight:600;white-space:nowrap}
.tag.fatal{background:#b3261e;color:#fff}.tag.soft{background:#fbecc8;color:#77500a}
.exact{display:block;margin-top:2px;padding:3px 8px;background:#f1f6ea;border-left:3px solid #6a9a3c;font-weight:600}
ul.offers{margin:0;padding-left:18px}ul.offers li{margin-bottom:5px}
footer{margin-top:34px;border-top:1px solid #d8ddd4;padding-top:8px;font-size:12px;color:#687068}
@media (max-width:760px){main{padding:18px}table{display:block;overflow-x:auto}.chips,.roles{grid-template-columns:1fr 1fr}}
@media print{@page{size:A4;margin:13mm}body{font-size:11px}main{padding:0;max-width:none}h2{break-after:avoid}
 figure,.chips,.roles{break-inside:avoid}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
"""


def render_page(inventory: Inventory, folder: str, *, site: Site | None = None, area: StudyArea | None = None) -> str:
    """Return the inspection of an inbox as HTML.

    Parameters
    ----------
    inventory
        What was found.
    folder
        The folder as the user named it.
    site, area
        The site and its study area: then the map shows it, and downloads name its sheets, towns and stations.
    """
    rows = file_rows(inventory)
    advice = advise(inventory, area)
    drawing = draw_extents(rows, area)
    title = f"{site.title.ko} · " if site else ""
    parts = [
        (
            '<!doctype html><html lang="ko"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
        ),
        f"<title>{escape(title)}입력 자료 점검</title><style>{_STYLE}</style></head><body><main>",
        _head(inventory, folder, site, advice),
        _roles(advice, area),
        _map(drawing, rows, area),
        _problems(inventory.problems),
        _downloads(advice, area),
        _files(rows, drawing),
        (
            f"<footer>{escape(BOUNDARY_SOURCE)}. 이 페이지는 아무 파일도 바꾸지 않고 만들었으며, 다른 곳에서 불러오는 것이 없음 · "
            "Nothing was changed to make this page, and it loads nothing from elsewhere.</footer></main></body></html>"
        ),
    ]
    return "\n".join(parts)


def write_page(path: Path, inventory: Inventory, folder: Path, site: Site | None = None) -> None:
    """Write the page of `render_page` to ``path``, with the study area of ``site`` where there is one.

    Raises
    ------
    InputError
        If ``path`` lies in the inspected folder, where it would be taken for data, or cannot be written.
    """
    if path.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"--html {path}: write the page outside the inspected folder {folder}, which stays as it is")
    area = build_study_area(site) if site is not None else None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render_page(inventory, str(folder), site=site, area=area), encoding="utf-8")
    except OSError as error:
        raise InputError(f"--html {path} cannot be written ({error.strerror or error}); name another place") from error


def _both(ko: str, en: str) -> str:
    return f'{escape(ko)} <span class="en">{escape(en)}</span>'


def _halves(text: str) -> tuple[str, str]:
    """Return the Korean and the English half of a message that is written ``English · Korean``."""
    pieces = text.split(" · ")
    # a detail that has the separator in it stands in both halves
    middle = len(pieces) // 2
    return " · ".join(pieces[middle:]), " · ".join(pieces[:middle])


def _head(inventory: Inventory, folder: str, site: Site | None, advice: Sequence[Advice]) -> str:
    fatal = sum(problem.fatal for problem in inventory.problems)
    used = sum(len(dataset.parts) for dataset in inventory.datasets)
    lacking = [a for a in advice if a.main and a.state != "there"]
    chips = [
        (len(inventory.files), "받은 파일", "files", ""),
        (used, "쓰는 자료", "layers used", "good"),
        (fatal, "먼저 고칠 것", "to be mended first", "bad" if fatal else "good"),
        (len(lacking), "모자라는 주요 자료", "main sources missing or partial", "bad" if lacking else "good"),
    ]
    told = "".join(
        f'<div class="chip {style}"><b>{number:,}</b>{_both(ko, en)}</div>' for number, ko, en, style in chips
    )
    if fatal:
        verdict = f'<p class="verdict bad">{_both(f"{fatal}건을 고쳐야 실행할 수 있습니다.", f"{fatal} problem(s) must be mended before a run.")}</p>'
    elif lacking:
        names = ", ".join(a.ko for a in lacking)
        ko = f"실행할 수 있습니다. 다만 {names} 자료가 모자라 그 결과는 빠지거나 일부만 나옵니다."
        verdict = f'<p class="verdict good">{_both(ko, "A run is possible; results that need the missing sources will be absent or partial.")}</p>'
    else:
        verdict = f'<p class="verdict good">{_both("모든 주요 자료가 있습니다. 바로 실행할 수 있습니다.", "All main sources are there; it can be run.")}</p>'
    place = f"<b>{escape(site.title.ko)}</b> <span class='en'>{escape(site.title.en)}</span> · " if site else ""
    demo = " · <b>가상 데이터 demo data</b>" if site and site.demo else ""
    return (
        f"<header><h1>입력 자료 점검 <small>Inspection of the inbox</small></h1>"
        f'<p class="where">{place}폴더 <code>{escape(folder)}</code>{demo}</p><div class="chips">{told}</div>{verdict}</header>'
    )


def _roles(advice: Sequence[Advice], area: StudyArea | None) -> str:
    cards = {True: [], False: []}  # type: dict[bool, list[str]]
    for item in advice:
        mark, ko, en = _MARKS[item.state]
        share = f" · 연구 범위의 {item.coverage_pct:.0f} %" if item.present and item.coverage_pct is not None else ""
        if item.is_elsewhere:
            share = " · 받은 파일은 연구 범위 밖에 있음"
        cards[item.main].append(
            f'<div class="role {item.state}{" main" if item.main else ""}" style="border-left-color:{COLOURS[item.role]}">'
            f'<span class="mark" title="{ko} {en}">{mark}</span><div><b>{_both(item.ko, item.en)}</b>'
            f"<p>→ {_both(item.needed_ko, item.needed_en)}</p><p>{ko}{share}</p></div></div>"
        )
    about = (
        ""
        if area is None
        else '<p class="note">몫은 파일의 외곽 사각형이 연구 범위를 덮는 비율 · share of the study area under the frames of the files</p>'
    )
    return (
        f'<h2>무엇을 만들 수 있나 <small>What can be made of it</small></h2><div class="roles">{"".join(cards[True])}</div>'
        f'<h2>있으면 더 나아지는 것 <small>What would add to it</small></h2><div class="roles">{"".join(cards[False])}</div>{about}'
    )


def _map(drawing: MapDrawing | None, rows: Sequence[FileRow], area: StudyArea | None) -> str:
    if drawing is None:
        return ""
    shown = list(dict.fromkeys(row.dataset.role for row in rows if row.dataset and row.path in drawing.numbers))
    by_number = {number: path for path, number in drawing.numbers.items()}
    outside = ", ".join(f"{number} {escape(by_number[number])} ({escape(where)})" for number, where in drawing.outside)
    caption = "각 파일의 범위(외곽 사각형)와 법정동. 번호는 아래 표와 같음 · the frame of each file over the legal dongs; numbers as in the table below."
    if area is not None:
        caption += " 굵은 선은 연구 범위, 점선은 1:5,000 도엽과 번호 끝 세 자리 · bold: study area; dotted: 1:5,000 sheets with the last three digits."
    beyond = f'<p class="note"><b>지도 밖</b> <span class="en">outside the map</span>: {outside}</p>' if outside else ""
    return (
        f"<h2>자료가 덮는 곳 <small>Where the files lie</small></h2><figure>{drawing.svg}{legend(shown)}"
        f"<figcaption>{caption}</figcaption></figure>{beyond}"
    )


def _downloads(advice: Sequence[Advice], area: StudyArea | None) -> str:
    lines = []
    for item in advice:
        if item.state == "there" or not item.offers:
            continue
        offers = "".join(
            f"<li><b>{escape(offer.agency)}</b><br>{escape(offer.download)}"
            + (f'<span class="exact">{escape(offer.exactly)}</span>' if offer.exactly else "")
            + "</li>"
            for offer in item.offers
        )
        mark, ko, en = _MARKS[item.state]
        tag = (
            f'<span class="tag {"fatal" if item.main and item.state == "missing" else "soft"}">{mark} {ko} {en}</span>'
        )
        lines.append(
            f"<tr><td><b>{escape(item.ko)}</b><br><span class='en'>{escape(item.en)}</span><br>{tag}</td>"
            f"<td>{escape(item.needed_ko)}<br><span class='en'>{escape(item.needed_en)}</span></td>"
            f'<td><ul class="offers">{offers}</ul></td></tr>'
        )
    if not lines:
        return ""
    hint = (
        ""
        if area is not None
        else '<p class="note">--site를 주면 연구 범위의 도엽번호, 시군구, 가까운 관측 지점을 알려줌 · give --site to be told sheet numbers, towns and stations</p>'
    )
    return (
        "<h2>받아야 할 자료 <small>What to download</small></h2><table><thead><tr><th>자료 <small>source</small></th>"
        "<th>필요한 결과 <small>needed for</small></th><th>받을 곳과 정확한 이름 <small>where, and exactly what</small></th></tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table>{hint}"
    )


def _problems(problems: Sequence[Problem]) -> str:
    if not problems:
        return f"<h2>문제 <small>Problems</small></h2><p>{_both('없음.', 'None.')}</p>"
    lines = []
    for problem in sorted(problems, key=lambda p: (not p.fatal, p.path)):
        what, remedy = _halves(problem.what), _halves(problem.remedy)
        tag = '<span class="tag fatal">고쳐야 함</span>' if problem.fatal else '<span class="tag soft">알림</span>'
        lines.append(
            f"<tr><td>{tag}</td><td>{escape(problem.path)}</td><td>{escape(what[0])}<br><span class='en'>{escape(what[1])}</span></td>"
            f"<td>{escape(remedy[0])}<br><span class='en'>{escape(remedy[1])}</span></td></tr>"
        )
    return (
        "<h2>문제와 할 일 <small>Problems and remedies</small></h2><table><thead><tr><th></th><th>파일 <small>file</small></th>"
        f"<th>무엇이 <small>what</small></th><th>할 일 <small>what to do</small></th></tr></thead><tbody>{''.join(lines)}</tbody></table>"
    )


def _files(rows: Sequence[FileRow], drawing: MapDrawing | None) -> str:
    numbers = {} if drawing is None else drawing.numbers
    lines = []
    for row in rows:
        number = numbers.get(row.path)
        colour = COLOURS[row.dataset.role] if row.dataset else "#777777"
        badge = "" if number is None else f'<span class="no" style="background:{colour}">{number}</span>'
        fatal = any(problem.fatal for problem in row.problems)
        count = f'<span class="tag {"fatal" if fatal else "soft"}">{len(row.problems)}</span>' if row.problems else ""
        lines.append(
            f'<tr class="{"" if row.state == "used" else "off"}"><td>{badge}</td><td>{escape(row.path)}</td>'
            f"<td>{escape(row.ko)}<br><span class='en'>{escape(row.en)}</span></td><td>{escape(row.encoding)}</td>"
            f'<td>{escape(row.crs)}</td><td class="n">{"" if row.rows is None else f"{row.rows:,}"}</td><td>{count}</td></tr>'
        )
    heads = [
        ("", ""),
        ("파일", "file"),
        ("자료", "recognised as"),
        ("인코딩", "encoding"),
        ("좌표계", "CRS"),
        ("건수", "rows"),
        ("문제", ""),
    ]
    told = "".join(f"<th>{ko} <small>{en}</small></th>" for ko, en in heads)
    return f"<h2>모든 파일 <small>Every file</small></h2><table><thead><tr>{told}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
