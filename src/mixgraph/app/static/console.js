// The console as a table of dots, one per processor, that empty as processors are pruned.

const SHORT = {
  equalizer: "EQ",
  compressor: "Comp",
  noise_gate: "Gate",
  stereo_imager: "Image",
  gain_panning: "Gain",
  multitap_delay: "Delay",
  reverb: "Reverb",
};

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Draws strips into an element; returns `{total, left, remove, restore}` for what happens to them. */
export function drawConsole(element, strips) {
  const types = new Map(strips.flatMap(({ slots }) => slots.map(({ place, type }) => [place, type])));
  const order = Object.keys(SHORT);
  const rank = (type) => (order.includes(type) ? order.indexOf(type) : order.length);
  const places = [...types.keys()].sort((one, other) => rank(types.get(one)) - rank(types.get(other)));
  const dots = new Map();
  const gone = new Set();
  const counts = new Map(places.map((place) => [place, make("td")]));

  const heads = places.map((place) => {
    const type = types.get(place);
    const head = make("th", { scope: "col", textContent: place === type ? (SHORT[type] ?? type) : place, title: place.replaceAll("_", " ") });
    return head;
  });
  const rows = strips.map((strip) => {
    const row = make("tr", { className: strip.is_group ? "group-row" : "track-row" });
    row.append(make("th", { scope: "row", textContent: strip.name, title: strip.is_group ? `Subgroup ${strip.name}` : strip.name }));
    for (const place of places) {
      const slot = strip.slots.find((other) => other.place === place);
      const cell = make("td");
      if (slot) {
        const dot = make("span", { className: "dot" });
        dot.dataset.type = slot.type;
        dot.dataset.id = slot.id;
        dot.setAttribute("role", "img");
        dots.set(slot.id, { dot, place, says: `${place.replaceAll("_", " ")} of ${strip.name}` });
        cell.append(dot);
      }
      row.append(cell);
    }
    return row;
  });
  const foot = make("tr", {}, make("th", { scope: "row", textContent: "Left" }), ...counts.values());
  element.replaceChildren(
    make(
      "table",
      { className: "console" },
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, make("span", { className: "visually-hidden", textContent: "Track or subgroup" })), ...heads)),
      make("tbody", {}, ...rows),
      make("tfoot", {}, foot),
    ),
  );

  function show() {
    for (const [id, { dot, says }] of dots) {
      const label = `${says}, ${gone.has(id) ? "pruned" : "kept"}`;
      dot.classList.toggle("gone", gone.has(id));
      dot.setAttribute("aria-label", label);
      dot.title = label;
    }
    for (const [place, cell] of counts) {
      cell.textContent = [...dots].filter(([id, entry]) => entry.place === place && !gone.has(id)).length;
    }
  }
  show();

  return {
    total: dots.size,
    left: () => dots.size - gone.size,
    remove(ids) {
      for (const id of ids) if (dots.has(id)) gone.add(id);
      show();
    },
    restore() {
      gone.clear();
      show();
    },
  };
}
