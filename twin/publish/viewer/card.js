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

  function number(value, field, language) {
    if (typeof value === "boolean") return value ? ["예", "yes"][language] : ["아니오", "no"][language];
    if (typeof value !== "number") return String(value);
    const digits = field.decimals === null ? 3 : field.decimals;
    return value.toLocaleString(language ? "en" : "ko-KR", { maximumFractionDigits: digits });
  }

  function bars(values, language, say) {
    const top = Math.max(...values), box = make("div", undefined, "bars");
    const plain = values.map((value) => Math.round(value).toLocaleString());
    box.setAttribute("role", "img");
    box.setAttribute("aria-label", `${say("months")}: ${plain.join(", ")}`);
    values.forEach((value, i) => {
      const bar = make("div"), block = make("b");
      block.style.height = `${(66 * value) / top}px`;
      bar.title = `${i + 1}${say("month")}: ${plain[i]} kWh`;
      bar.append(block, String(i + 1));
      box.append(bar);
    });
    return box;
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
      else card.append(make("p", say("none"), "word"));
    }
    const list = make("dl");
    about.fields.forEach((field) => {
      const value = columns[field.name][row];
      if (value === null || MONTH.test(field.name)) return;
      const choice = Object.hasOwn(field.choices, value) ? field.choices[value] : null;
      list.append(make("dt", field[tongue]), make("dd", choice ? choice[language] : number(value, field, language)));
    });
    card.append(list);
    if (about.sources.length) {
      const sources = make("ul", undefined, "sources");
      about.sources.forEach(([source, product]) => sources.append(make("li", `${source} · ${product}`)));
      card.append(make("h3", say("source")), sources);
    }
    card.append(make("p", `${say("layer")}: ${layer}`, "quiet"));
    return shut;
  }

  return { make, fill };
})();
