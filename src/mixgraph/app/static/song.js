// One song: its subgroups on a board, and the settings of a search.

import { ask, enc, facts, Failure, ready, show } from "./http.js";

const byId = (id) => document.getElementById(id);
const board = byId("board");
const form = byId("start-form");
const path = `/api/songs/${enc(facts.song)}`;
const ALONE = ""; // the group of tracks that are in none

// In order: [name, tracks]; the last is that of the tracks on their own.
let groups = [];

function take(subgroups) {
  const grouped = new Set(Object.values(subgroups).flat());
  const alone = facts.tracks.map(({ name }) => name).filter((name) => !grouped.has(name));
  groups = [...Object.entries(subgroups).map(([name, tracks]) => ({ name, tracks: [...tracks] })), { name: ALONE, tracks: alone }];
  draw();
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function draw() {
  board.replaceChildren(...groups.map(boxOf));
}

function boxOf(group) {
  const isAlone = group === groups.at(-1);
  const box = make("section", { className: isAlone ? "group alone" : "group" });
  const head = make("div", { className: "group-head" });
  if (isAlone) {
    head.append(make("b", { textContent: "On their own" }));
  } else {
    const name = make("input", { value: group.name, maxLength: 60, autocomplete: "off" });
    name.setAttribute("aria-label", "Name of the subgroup");
    name.onchange = () => {
      group.name = name.value.trim();
      draw();
      save();
    };
    const remove = make("button", { type: "button", textContent: "×", title: "Dissolve this subgroup" });
    remove.setAttribute("aria-label", `Dissolve the subgroup ${group.name}`);
    remove.onclick = () => {
      groups = groups.filter((other) => other !== group);
      groups.at(-1).tracks.push(...group.tracks);
      draw();
      save();
    };
    head.append(name, remove);
  }
  box.append(head, ...group.tracks.map((track) => rowOf(track, group)));
  if (!group.tracks.length) {
    box.append(make("p", { className: "empty", textContent: isAlone ? "Every track is in a subgroup." : "Drag tracks here." }));
  }
  box.ondragover = (event) => {
    event.preventDefault();
    box.classList.add("over");
  };
  box.ondragleave = (event) => {
    if (!box.contains(event.relatedTarget)) box.classList.remove("over");
  };
  box.ondrop = (event) => {
    event.preventDefault();
    const track = event.dataTransfer.getData("text/plain");
    if (facts.tracks.some(({ name }) => name === track)) move(track, group);
  };
  return box;
}

function rowOf(track, group) {
  const { seconds, channels } = facts.tracks.find(({ name }) => name === track);
  const length = seconds === null ? "" : `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  const select = make("select");
  select.setAttribute("aria-label", `Subgroup of ${track}`);
  groups.forEach((other, index) => select.add(new Option(other.name || "On their own", index, false, other === group)));
  select.onchange = () => {
    move(track, groups[Number(select.value)]);
    [...board.querySelectorAll("select")].find((other) => other.getAttribute("aria-label") === `Subgroup of ${track}`)?.focus();
  };
  const row = make(
    "div",
    { className: "track", draggable: true },
    make("span", { className: "name", textContent: track }),
    make("span", { className: "facts", textContent: `${channels === 1 ? "mono" : "stereo"} ${length}` }),
    make("span", { className: "move", title: "Move to …" }, "⋯", select),
  );
  row.ondragstart = (event) => {
    event.dataTransfer.setData("text/plain", track);
    event.dataTransfer.effectAllowed = "move";
    row.classList.add("dragged");
  };
  row.ondragend = () => row.classList.remove("dragged");
  return row;
}

function move(track, target) {
  for (const group of groups) group.tracks = group.tracks.filter((name) => name !== track);
  target.tracks.push(track);
  draw();
  save();
}

/** Saves what is on the board, one request after the other; what is not finished yet is said, and not saved. */
let saving = Promise.resolve(true);
function save() {
  saving = saving.then(async () => {
    const wrong = byId("groups-wrong");
    try {
      const named = groups.slice(0, -1);
      const names = named.map(({ name }) => name);
      if (names.includes("")) throw new Failure("A subgroup has no name: give it one, or dissolve it.");
      const twice = names.find((name, index) => names.indexOf(name) !== index);
      if (twice) throw new Failure(`Two subgroups are called “${twice}”: rename one.`);
      byId("saved").textContent = "Saving …";
      const subgroups = Object.fromEntries(named.map(({ name, tracks }) => [name, tracks]));
      await ask("PUT", path, { title: byId("title").value, subgroups });
      byId("saved").textContent = "Saved";
      show(wrong, null);
      estimate();
      return true;
    } catch (failure) {
      byId("saved").textContent = "Not saved";
      show(wrong, failure);
      return false;
    }
  });
  return saving;
}

byId("title").onchange = save;
byId("guess").onclick = () => {
  take(facts.guessed);
  save();
};
byId("new-group").onclick = () => {
  let number = 1;
  while (groups.some(({ name }) => name === `group ${number}`)) number += 1;
  groups.splice(-1, 0, { name: `group ${number}`, tracks: [] });
  draw();
  const name = [...board.querySelectorAll("input")].at(-1);
  name.focus();
  name.select();
};

function choices() {
  const given = new FormData(form);
  return {
    effort: given.get("effort"),
    tolerance: Number(given.get("tolerance")),
    chain: given.getAll("chain").join(""),
    use_subgroups: given.has("use_subgroups"),
    sample_rate: Number(given.get("sample_rate")),
    seed: Number(given.get("seed")),
    more: given.get("more"),
  };
}

async function estimate() {
  try {
    const { spans, measured_here: here } = await ask("POST", `${path}/estimate`, choices());
    for (const [effort, span] of Object.entries(spans)) document.querySelector(`[data-span="${effort}"]`).textContent = span;
    byId("estimate-says").textContent = here
      ? "Times are estimated from what earlier searches took here."
      : "Times are estimated for a laptop with two fast cores; once the search runs, it says how long it will take here.";
    show(byId("start-wrong"), null);
  } catch (failure) {
    for (const time of document.querySelectorAll("[data-span]")) time.textContent = "–";
    show(byId("start-wrong"), failure);
  }
}

form.onchange = estimate;
form.onsubmit = async (event) => {
  event.preventDefault();
  const start = byId("start");
  start.disabled = true;
  start.textContent = "Starting …";
  try {
    if (!(await save())) throw new Failure("The subgroups are not saved yet: see above.");
    const { result } = await ask("POST", `${path}/search`, choices());
    location.href = `/results/${enc(result)}`;
  } catch (failure) {
    start.disabled = false;
    start.textContent = "Start";
    show(byId("start-wrong"), failure);
  }
};

byId("remove").onclick = async () => {
  if (!confirm("Remove this song from the disk? Its results stay.")) return;
  try {
    await ask("DELETE", path);
    location.href = "/";
  } catch (failure) {
    show(byId("start-wrong"), failure);
  }
};

take(facts.subgroups);
ready();
estimate();
