// The card of one feature: its name, its months, its values and where they come from. All text is set as text, never as markup.
"use strict";
const CARD = (() => {
  const make = (tag, text, name) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (name) node.className = name;
    return node;
  };
  const MONTH = /^yield_\d\d_kwh$/;
  // what a reader asks first; all else is one more click away
  const FIRST = {
    buildings: ["use", "floors_above", "height", "yield_kwh", "yield_p90_kwh", "capacity_kwp", "shading_loss_pct", "usable_area_m2",
      "demand_kwh", "self_sufficiency_pct", "avoided_tco2", "approved_on", "pnu"],
    parcels: ["pnu", "jimok", "zoning", "area_m2", "green_cover_pct", "green_area_m2", "building_count", "yield_kwh", "capacity_kwp"],
    plan_blocks: ["land_use", "use_class", "area_m2", "floor_area_ratio_pct", "building_coverage_pct", "floors_limit", "homes", "green_cover_pct",
      "yield_kwh", "self_sufficiency_pct"],
    parks: ["class_ko", "class_en", "status", "area_m2"],
  };

  const plain = (text) => text.replace(/m2(?![a-z0-9])/g, "m²").replaceAll("CO2", "CO₂");

  function number(value, field, language) {
    if (typeof value === "boolean") return value ? ["예", "yes"][language] : ["아니오", "no"][language];
    if (typeof value !== "number") return String(value);
    const digits = field.decimals === null ? 3 : field.decimals;
    return value.toLocaleString(language ? "en" : "ko-KR", { maximumFractionDigits: digits });
  }

  function bars(values, language, say) {
    const top = Math.max(...values), box = make("div", undefined, "bars");
    const whole = values.map((value) => Math.round(value).toLocaleString());
    box.setAttribute("role", "img");
    box.setAttribute("aria-label", `${say("months")}: ${whole.join(", ")}`);
    values.forEach((value, i) => {
      const bar = make("div"), block = make("b");
      block.style.height = `${(66 * value) / top}px`;
      bar.title = `${i + 1}${say("month")}: ${whole[i]} kWh`;
      bar.append(block, String(i + 1));
      box.append(bar);
    });
    return box;
  }

  function list(fields, columns, row, language) {
    const made = make("dl");
    fields.forEach((field) => {
      const value = columns[field.name][row];
      const choice = Object.hasOwn(field.choices, value) ? field.choices[value] : null;
      made.append(make("dt", plain(field[language ? "en" : "ko"])), make("dd", choice ? choice[language] : number(value, field, language)));
    });
    return made;
  }

  function fill(card, about, layer, columns, row, language, say) {
    const tongue = language ? "en" : "ko";
    card.replaceChildren();
    const first = ["jibun", "name", "land_use", about.key].map((name) => columns[name] && columns[name][row]).find(Boolean);
    card.append(make("p", about[tongue], "quiet"), make("h2", first));
    const shut = make("button", "×", "close");
    shut.type = "button";
    shut.setAttribute("aria-label", say("close"));
    card.append(shut);
    const months = about.fields.filter((field) => MONTH.test(field.name)).map((field) => columns[field.name][row]);
    if (months.length === 12 && months.every((value) => value !== null)) {
      if (Math.max(...months) > 0) card.append(make("div", say("months"), "quiet"), bars(months, language, say));
      else card.append(make("p", say(layer === "buildings" ? "none" : "none_here"), "word"));
    }
    const told = about.fields.filter((field) => columns[field.name][row] !== null && !MONTH.test(field.name));
    const early = FIRST[layer].map((name) => told.find((field) => field.name === name)).filter(Boolean);
    card.append(list(early, columns, row, language));
    const others = told.filter((field) => !early.includes(field));
    if (others.length) {
      const more = make("details");
      more.append(make("summary", `${say("more")} (${others.length})`), list(others, columns, row, language));
      card.append(more);
    }
    if (about.sources.length) {
      const sources = make("ul", undefined, "sources");
      about.sources.forEach(([source, product]) => sources.append(make("li", `${source} · ${product}`)));
      card.append(make("h3", say("source")), sources);
    }
    card.append(make("p", `${say("layer")}: ${layer}`, "quiet"));
    return shut;
  }

  return { make, plain, fill };
})();
