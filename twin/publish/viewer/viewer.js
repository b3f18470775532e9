// The page of a release: a map of the town and what a click, a key and a search find.
"use strict";
const TWIN = (() => {
  const state = { language: 0, scenario: "", about: null, data: {}, loaded: {}, shown: new Set(), theme: { parcels: 0, buildings: 0, plan_blocks: 0 },
    blocks: true, chosen: null, map: null, ready: false, told: () => "", features: 0 };
  const ORDER = ["parcels", "plan_blocks", "parks", "buildings"];
  const PLAIN = { parcels: "#efece2", buildings: "#c9c4b8", plan_blocks: "#d8c9a8", parks: "#bfe0cc" };
  const CHOSEN = "chosen", NOTHING = { type: "FeatureCollection", features: [] };
  const FIRST_DEG = 0.007, BUILDINGS_FROM = 13.8, AT_ONCE = [6, 32];
  const NARROW = window.matchMedia("(max-width: 640px)");
  const { make, plain } = CARD;
  const $ = (id) => document.getElementById(id);
  const say = (word) => (Object.hasOwn(WORDS, word) ? WORDS[word][state.language] : word);
  const tongue = () => (state.language ? "en" : "ko");
  // what is told is kept as a function, so that it can be told again in the other language
  const tell = (text) => { state.told = text; $("status").textContent = text(); };

  function load(path, then) {
    const script = document.createElement("script");
    script.src = path;
    script.onload = () => { script.remove(); then(); };
    script.onerror = () => { script.remove(); tell(() => `${say("missing")}: ${path}`); };
    document.head.append(script);
  }

  function polygons(shape) {
    return shape.map((rings) => rings.map((ring) => {
      const points = [];
      let x = 0, y = 0;
      for (let i = 0; i < ring.length; i += 2) { x += ring[i]; y += ring[i + 1]; points.push([x * 1e-6, y * 1e-6]); }
      return points;
    }));
  }

  const layersOf = () => state.data[state.scenario].layers;
  const themesOf = (name) => (layersOf()[name] || { themes: [] }).themes;
  const themeOf = (name) => themesOf(name)[Math.min(state.theme[name] || 0, themesOf(name).length - 1)];

  function colourOf(name) {
    const theme = themeOf(name);
    if (!theme) return PLAIN[name];
    const value = ["get", theme.column], rest = theme.classes.find((c) => c.low === null);
    const other = rest ? rest.colour : "#bcbcbc";
    if (theme.classes[0].value !== undefined) {
      return ["match", value, ...theme.classes.flatMap((c) => [c.value, c.colour]), other];
    }
    // closed above, as in the styles of the GeoPackage
    const steps = theme.classes.filter((c) => c.low !== null).flatMap((c) => [["<=", value, c.high], c.colour]);
    return ["case", ["==", value, null], other, ...steps, other];
  }

  function features(name, key, part) {
    const wanted = new Set(themesOf(name).map((theme) => theme.column));
    if (name === "buildings") wanted.add("height");
    return part.shapes.map((shape, row) => {
      const properties = { key, row };
      wanted.forEach((column) => { properties[column] = part.columns[column][row]; });
      state.features += 1;
      return { type: "Feature", id: state.features, properties, geometry: { type: "MultiPolygon", coordinates: polygons(shape) } };
    });
  }

  const STYLE = {
    parcels: () => [["fill", { "fill-color": colourOf("parcels"), "fill-outline-color": "#a9a595" }]],
    plan_blocks: () => [["fill", { "fill-color": colourOf("plan_blocks"), "fill-opacity": 0.88 }], ["line", { "line-color": "#5b5b5b", "line-width": 1 }]],
    parks: () => [["line", { "line-color": "#1d6b52", "line-width": 1.4, "line-dasharray": [2, 1] }]],
    buildings: () => [["fill-extrusion", { "fill-extrusion-color": colourOf("buildings"), "fill-extrusion-height": ["get", "height"] }]],
  };

  // each source is one more pass over the whole picture, so all tiles of a layer share one
  function show(keys) {
    const fresh = keys.filter((key) => !state.shown.has(key)), tiles = state.loaded[state.scenario];
    fresh.forEach((key) => state.shown.add(key));
    ORDER.forEach((name) => {
      const add = fresh.flatMap((key) => (tiles[key][name] ? features(name, key, tiles[key][name]) : []));
      if (add.length) state.map.getSource(name).updateData({ add });
    });
  }

  const isShown = (key) => state.shown.has(key);

  function inView() {
    const view = state.map.getBounds(), tiles = state.data[state.scenario].tiles;
    return Object.keys(tiles).filter((key) => {
      const [west, south, east, north] = tiles[key];
      return west < view.getEast() && east > view.getWest() && south < view.getNorth() && north > view.getSouth();
    });
  }

  const isDrawn = () => inView().every(isShown);

  function loadView() {
    const scenario = state.scenario;
    if (!state.data[scenario] || !state.ready) return;
    const { lng, lat } = state.map.getCenter(), tiles = state.data[scenario].tiles;
    const far = ([west, south, east, north]) => Math.hypot((west + east) / 2 - lng, (south + north) / 2 - lat);
    const queue = inView().filter((key) => !isShown(key)).sort((a, b) => far(tiles[a]) - far(tiles[b]));
    // what is near comes first, in growing steps: the page answers in between, and is not drawn anew for each tile
    let step = 0;
    const next = () => {
      const few = queue.splice(0, AT_ONCE[Math.min(step, AT_ONCE.length - 1)]);
      if (scenario !== state.scenario) return;
      step += 1;
      let missing = few.length;
      const done = () => {
        missing -= 1;
        if (missing || scenario !== state.scenario) return;
        show(few);
        setTimeout(next, 0);
      };
      few.forEach((key) => withTile(key, done));
    };
    next();
  }

  function withTile(key, then) {
    const scenario = state.scenario;
    if (state.loaded[scenario][key]) then(); else load(`data/${scenario}/${key}.js`, then);
  }

  function clear() {
    state.shown.clear();
    ORDER.forEach((name) => { state.map.getSource(name).setData(NOTHING); recolour(name); });
  }

  function looks(name) {
    const visibility = name === "plan_blocks" && !state.blocks ? "none" : "visible";
    return STYLE[name]().map(([type, paint]) => ({ id: `${name}/${type}`, type, source: name, paint, layout: { visibility }, minzoom: name === "buildings" ? BUILDINGS_FROM : 0 }));
  }

  function recolour(name) {
    looks(name).forEach(({ id, type, layout }) => {
      if (type !== "line") state.map.setPaintProperty(id, `${type}-color`, colourOf(name));
      state.map.setLayoutProperty(id, "visibility", layout.visibility);
    });
  }

  function choose(scenario) {
    const start = () => {
      state.scenario = scenario;
      delete document.body.dataset.drawn;
      close();
      if (!state.map) begin(); else if (state.ready) { clear(); loadView(); }
      words();
    };
    if (state.data[scenario]) start(); else load(`data/${scenario}/index.js`, start);
  }

  function begin() {
    const [west, south, east, north] = state.data[state.scenario].box;
    // a wide town opens at its middle: drawn without a graphics card, all of it at once takes too long
    const [x, y] = [(west + east) / 2, (south + north) / 2];
    const near = [Math.max(west, x - FIRST_DEG), Math.max(south, y - FIRST_DEG), Math.min(east, x + FIRST_DEG), Math.min(north, y + FIRST_DEG)];
    const sources = { [CHOSEN]: { type: "geojson", data: NOTHING } };
    ORDER.forEach((name) => { sources[name] = { type: "geojson", data: NOTHING, maxzoom: 16, tolerance: 0.4, buffer: 16 }; });
    const style = { version: 8, sources, layers: [
      { id: "ground", type: "background", paint: { "background-color": "#f1efe8" } },
      ...ORDER.flatMap(looks),
      { id: CHOSEN, type: "line", source: CHOSEN, paint: { "line-color": "#c2185b", "line-width": 4 } }] };
    state.map = new maplibregl.Map({ container: "map", style, bounds: near, pitch: 50, bearing: -15, maxPitch: 70,
      attributionControl: false, fadeDuration: 0, renderWorldCopies: false, canvasContextAttributes: { preserveDrawingBuffer: true },
      maxBounds: [west - 0.05, south - 0.05, east + 0.05, north + 0.05] });
    state.map.addControl(new maplibregl.NavigationControl({ visualizePitch: true }), "top-left");
    state.map.addControl(new maplibregl.ScaleControl({ unit: "metric" }), "top-left");
    // a tilted view is flatter than its bounds: a wide window has room to come nearer
    const canvas = state.map.getCanvas();
    if (canvas.clientWidth > 1.2 * canvas.clientHeight) state.map.setZoom(state.map.getZoom() + 0.35);
    state.map.on("load", () => { state.ready = true; loadView(); });
    state.map.on("moveend", loadView);
    // tells whoever drives the page that what is asked for is drawn
    state.map.on("idle", () => { if (isDrawn()) document.body.dataset.drawn = state.scenario; });
    state.map.on("click", (event) => openAt(event.point));
    state.map.getCanvas().addEventListener("keydown", (event) => {
      const canvas = state.map.getCanvas();
      if (event.key === "Enter") { openAt([canvas.clientWidth / 2, canvas.clientHeight / 2]); if (state.chosen) $("card").focus(); }
    });
  }

  function openAt(point) {
    const hit = state.map.queryRenderedFeatures(point).find((feature) => feature.source !== CHOSEN);
    if (hit) open(hit.source, hit.properties.key, hit.properties.row); else close();
  }

  function open(layer, key, row) {
    const part = state.loaded[state.scenario][key][layer];
    state.chosen = [layer, key, row];
    const shut = CARD.fill($("card"), layersOf()[layer], layer, part.columns, row, state.language, say);
    shut.addEventListener("click", () => { close(); state.map.getCanvas().focus(); });
    $("card").hidden = false;
    document.body.classList.add("reading");
    mark({ type: "MultiPolygon", coordinates: polygons(part.shapes[row]) });
  }

  function mark(geometry) {
    const source = state.ready && state.map.getSource(CHOSEN);
    if (source) source.setData(geometry ? { type: "Feature", properties: {}, geometry } : NOTHING);
  }

  function close() {
    state.chosen = null;
    $("card").hidden = true;
    document.body.classList.remove("reading");
    mark(null);
  }

  const bare = (text) => (text || "").replace(/\s+/g, "");

  function find(text) {
    const wanted = bare(text);
    if (!wanted || !state.data[state.scenario]) return [];
    const rows = state.data[state.scenario].search, digits = (jibun) => bare(jibun).replace(/[^0-9산-]/g, "");
    const exact = rows.filter(([pnu, jibun]) => pnu === wanted || bare(jibun) === wanted || digits(jibun) === wanted);
    return exact.length ? exact : rows.filter(([pnu, jibun]) => pnu.startsWith(wanted) || bare(jibun).startsWith(wanted));
  }

  function go(event) {
    event.preventDefault();
    const hits = find($("query").value);
    if (!hits.length || !state.ready) { tell(() => say("nothing")); return; }
    const [pnu, , key, x, y] = hits[0];
    tell(() => (hits.length > 1 ? `${pnu} · ${say("several")} (${hits.length})` : pnu));
    // on a phone the card covers the lower half
    const lift = NARROW.matches ? -state.map.getCanvas().clientHeight / 4 : 0;
    state.map.easeTo({ center: [x, y], zoom: 17, offset: [0, lift], duration: 0 });
    withTile(key, () => {
      show([key]);
      open("parcels", key, state.loaded[state.scenario][key].parcels.columns.pnu.indexOf(pnu));
      $("card").focus();
    });
  }

  function suggest() {
    $("found").replaceChildren(...find($("query").value).slice(0, 8).map(([pnu, jibun]) => {
      const option = make("option");
      option.value = pnu;
      option.label = jibun || pnu;
      return option;
    }));
  }

  function classes(name) {
    const themes = themesOf(name), theme = themeOf(name), parts = [];
    if (!theme) return parts;
    const label = make("label", layersOf()[name][tongue()]);
    parts.push(label);
    if (themes.length > 1) {
      const select = make("select");
      themes.forEach((one, i) => { const option = make("option", one[tongue()]); option.value = i; select.append(option); });
      select.value = themes.indexOf(theme);
      select.id = `theme-${name}`;
      label.htmlFor = select.id;
      select.addEventListener("change", () => { state.theme[name] = Number(select.value); recolour(name); legend(); $(select.id).focus(); });
      parts.push(select);
    } else label.append(` · ${theme[tongue()]}`);
    const list = make("ul");
    if (theme.classes.length > 8) list.className = "long";
    theme.classes.forEach((c) => {
      const item = make("li"), swatch = make("i");
      swatch.style.background = c.colour;
      item.append(swatch, plain(c[tongue()]));
      list.append(item);
    });
    parts.push(list);
    return parts;
  }

  function legend() {
    const parts = classes("buildings");
    if (layersOf().plan_blocks) {
      const label = make("label"), box = make("input");
      box.type = "checkbox";
      box.id = "blocks";
      box.checked = state.blocks;
      box.addEventListener("change", () => { state.blocks = box.checked; recolour("plan_blocks"); legend(); $("blocks").focus(); });
      label.append(box, say("blocks"));
      parts.push(label, ...(state.blocks ? classes("plan_blocks") : []));
    }
    parts.push(...classes("parcels"));
    $("classes").replaceChildren(...parts);
  }

  function words() {
    document.documentElement.lang = tongue();
    $("title").textContent = document.title = plain(state.about.title[tongue()]);
    $("demo").hidden = !state.about.demo;
    $("vintage").textContent = `${say("vintage")} ${state.about.vintage}${state.about.unshaded ? ` · ${say("unshaded")}` : ""}`;
    $("language").textContent = state.language ? "한국어" : "English";
    $("language").lang = state.language ? "ko" : "en";
    document.querySelectorAll("[data-word]").forEach((node) => { node.textContent = say(node.dataset.word); });
    document.querySelectorAll("[data-label]").forEach((node) => { node.setAttribute("aria-label", say(node.dataset.label)); });
    [["zoom-in", "nearer"], ["zoom-out", "farther"], ["compass", "north"]].forEach(([name, word]) => {
      document.querySelectorAll(`.maplibregl-ctrl-${name}`).forEach((node) => { node.title = say(word); node.setAttribute("aria-label", say(word)); });
    });
    $("query").placeholder = NARROW.matches ? say("search") : ""; // its label has no room there
    if (state.map) state.map.getCanvas().setAttribute("aria-label", say("map"));
    $("scenarios").replaceChildren(...state.about.scenarios.map((scenario) => {
      const button = make("button", say(scenario));
      button.type = "button";
      button.dataset.scenario = scenario;
      button.setAttribute("aria-pressed", String(scenario === state.scenario));
      button.addEventListener("click", () => { choose(scenario); document.querySelector(`[data-scenario="${scenario}"]`).focus(); });
      return button;
    }));
    if (state.data[state.scenario]) legend();
    if (state.chosen) open(...state.chosen);
    tell(state.told);
  }

  if (NARROW.matches) $("legend").open = false;
  $("search").addEventListener("submit", go);
  $("query").addEventListener("input", suggest);
  $("language").addEventListener("click", () => { state.language = 1 - state.language; words(); });
  $("print").addEventListener("click", () => window.print());
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });

  return {
    state,
    about(about) { state.about = about; choose(about.scenarios[0]); },
    scenario(name, index) { state.data[name] = index; state.loaded[name] = {}; },
    tile(scenario, key, tile) { state.loaded[scenario][key] = tile; },
  };
})();
