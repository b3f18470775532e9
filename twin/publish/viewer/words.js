// What the page says, in Korean and in English.
"use strict";
const WORDS = {
  search: ["지번 또는 PNU", "Lot number or PNU"], go: ["찾기", "Find"], print: ["인쇄", "Print"], scenario: ["시나리오", "Scenario"],
  map: ["지도. 방향키로 움직이고 Enter로 가운데 있는 것을 엽니다", "Map. Arrow keys move it, Enter opens what is in the middle"],
  legend: ["범례", "Legend"], card: ["선택한 곳", "What was chosen"], demo: ["가상 데이터", "Demo data"],
  existing: ["현재", "Existing"], planned: ["계획", "Planned"], nothing: ["찾은 필지가 없습니다", "No lot was found"],
  several: ["같은 지번이 여럿이라 첫 필지를 보입니다. PNU로 찾으면 하나입니다", "Several lots bear this number; the first is shown. A PNU finds one"],
  close: ["닫기", "Close"], months: ["월별 발전량 (kWh)", "Yield by month (kWh)"], none: ["이 지붕에는 태양광 모듈을 놓을 자리가 없어 발전량이 0입니다", "No solar module fits on this roof, so its yield is 0"],
  none_here: ["이곳에는 발전량이 있는 지붕이 없습니다", "No roof here yields power"], more: ["다른 값 더 보기", "More values"],
  month: ["월", ""], source: ["출처", "Sources"], layer: ["twin.gpkg 레이어", "Layer of twin.gpkg"], blocks: ["계획 블록 표시", "Show plan blocks"],
  unshaded: ["음영 미반영", "unshaded"], vintage: ["자료 기준일", "Newest data"], missing: ["자료를 읽지 못했습니다", "Data could not be read"],
  north: ["북쪽 위로", "Turn north"], nearer: ["확대", "Zoom in"], farther: ["축소", "Zoom out"],
};
