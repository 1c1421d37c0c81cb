// The start: drop a song, see it sent; the list of results while searches run.

import { ask, enc, facts, Failure, ready, send, show } from "./http.js";
import { clock, listen, setBar, stageOf } from "./live.js";

const byId = (id) => document.getElementById(id);
const [drop, staged, title, list] = ["drop", "staged", "title", "file-list"].map(byId);
const mixName = new RegExp(`^(?:${facts.mix_pattern})$`, "i");
const ROLES = { mix: "The mix", track: "A track", "": "Leave out" };

// Each: the file, the folder that it lay in ("" for none), its role, and what is wrong with it.
let files = [];
let sending = null;

function suffixOf(name) {
  return name.slice(name.lastIndexOf(".")).toLowerCase();
}

function stemOf(name) {
  return name.slice(0, name.lastIndexOf("."));
}

/** Takes files with their paths: says which is the mix, and which folders are subgroups. */
function stage(found) {
  const wanted = found.filter(({ path }) => !path.split("/").some((part) => part.startsWith(".")));
  files = wanted
    .filter(({ file }) => facts.readable.includes(suffixOf(file.name)) || file.name === "song.toml")
    .map(({ file, path }) => ({ file, parts: path.split("/").slice(0, -1), role: "track", problem: "" }));
  const depth = Math.min(...files.map(({ parts }) => parts.length));
  const top = files.filter(({ parts }) => parts.length === depth);
  const named = top.filter(({ file }) => mixName.test(stemOf(file.name)));
  const mix = named.length ? named[0] : top.length === 1 && files.length > 1 ? top[0] : null;
  // Below the folder of all tracks, a folder is a subgroup.
  const tracks = files.filter((entry) => entry !== mix && entry.file.name !== "song.toml");
  const shared = commonLength(tracks.map(({ parts }) => parts));
  for (const entry of files) {
    entry.group = entry.parts.slice(shared).join(" ");
    if (entry === mix) entry.role = "mix";
    if (entry.file.name === "song.toml") entry.role = "toml";
    if (entry.file.size > facts.file_bytes) entry.problem = "Is larger than a file may be here: copy the song's folder yourself.";
  }
  title.value = mix?.parts.at(-1) ?? files[0]?.parts[0] ?? "";
  const left = wanted.length - files.length;
  byId("staged-says").textContent = left ? `${left} file${left > 1 ? "s" : ""} of other kinds left out.` : "";
  draw();
  show(byId("staged-wrong"), files.length ? null : new Failure(`There is no audio among these files (${facts.readable.join(", ")}).`));
  drop.hidden = true;
  staged.hidden = false;
  byId("add").disabled = files.length === 0;
  title.focus();
}

function commonLength(paths) {
  if (!paths.length) return 0;
  let length = 0;
  while (paths.every((path) => path.length > length && path[length] === paths[0][length])) length += 1;
  return length;
}

function draw() {
  list.replaceChildren(
    ...files.map((entry) => {
      const row = document.createElement("li");
      row.dataset.role = entry.role;
      const name = Object.assign(document.createElement("span"), { className: "name", textContent: entry.file.name });
      const note = Object.assign(document.createElement("span"), { className: "muted small", textContent: noteOf(entry) });
      row.append(name, note);
      if (entry.role !== "toml") row.append(roleOf(entry));
      if (entry.problem) {
        row.append(Object.assign(document.createElement("span"), { className: "problem wrong small", textContent: entry.problem }));
      }
      return row;
    }),
  );
}

function noteOf(entry) {
  if (entry.done) return "✓";
  const bytes = entry.file.size;
  const size = bytes < 1e5 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
  return entry.group && entry.role === "track" ? `${entry.group} · ${size}` : size;
}

function roleOf(entry) {
  const select = document.createElement("select");
  select.setAttribute("aria-label", `What ${entry.file.name} is`);
  select.disabled = sending !== null;
  for (const [value, text] of Object.entries(ROLES)) select.add(new Option(text, value, false, value === entry.role));
  select.onchange = () => {
    const before = files.find(({ role }) => role === "mix");
    if (select.value === "mix" && before) before.role = "track";
    entry.role = select.value;
    entry.problem = "";
    draw();
  };
  return select;
}

function placeOf(entry) {
  if (entry.role === "toml") return "song.toml";
  if (entry.role === "mix") return `mix/${entry.file.name}`;
  return ["tracks", ...(entry.group ? [entry.group] : []), entry.file.name].join("/");
}

staged.onsubmit = async (event) => {
  event.preventDefault();
  const wrong = byId("staged-wrong");
  show(wrong, null);
  const chosen = files.filter(({ role }) => role);
  const bad = chosen.find(({ problem }) => problem);
  if (bad) return show(wrong, new Failure(`${bad.file.name}: leave it out, or mend it and choose the files again.`));
  if (!chosen.some(({ role }) => role === "mix")) return show(wrong, new Failure("Which file is the mix? Choose it in the list."));
  if (!chosen.some(({ role }) => role === "track")) return show(wrong, new Failure("There are no tracks: choose at least one."));
  sending = new AbortController();
  busy(true);
  let upload = null;
  try {
    const places = chosen.map((entry) => ({ place: placeOf(entry), bytes: entry.file.size }));
    upload = (await ask("POST", "/api/uploads", { files: places })).upload;
    await sendAll(upload, chosen);
    const { song } = await ask("POST", `/api/uploads/${upload}/song`, { title: title.value });
    location.href = `/songs/${enc(song)}`;
  } catch (failure) {
    if (upload) ask("DELETE", `/api/uploads/${upload}`).catch(() => {});
    for (const entry of files) entry.done = false;
    sending = null;
    busy(false);
    show(wrong, failure);
  }
};

async function sendAll(upload, chosen) {
  const total = chosen.reduce((sum, { file }) => sum + file.size, 0) || 1;
  let before = 0;
  for (const entry of chosen) {
    byId("sending-says").textContent = `Sending ${entry.file.name}`;
    const path = `/api/uploads/${upload}/files/${placeOf(entry).split("/").map(enc).join("/")}`;
    const onProgress = (loaded) => {
      byId("sent").value = (before + loaded) / total;
    };
    try {
      await send(path, entry.file, { onProgress, signal: sending.signal });
    } catch (failure) {
      if (!sending.signal.aborted) entry.problem = failure.message;
      throw failure;
    }
    before += entry.file.size;
    entry.done = true;
    draw();
  }
}

function busy(is) {
  byId("sending").hidden = !is;
  byId("sent").value = 0;
  byId("add").disabled = is;
  title.disabled = is;
  draw();
}

byId("cancel").onclick = () => {
  if (sending) return sending.abort();
  staged.hidden = true;
  drop.hidden = false;
  byId("choose-folder").focus();
};

for (const id of ["folder", "files"]) {
  byId(`choose-${id}`).onclick = () => byId(id).click();
  byId(id).onchange = ({ target }) => {
    const chosen = [...target.files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
    target.value = "";
    if (chosen.length) stage(chosen);
  };
}

addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) drop.classList.remove("over");
});
addEventListener("drop", async (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  if (sending) return;
  // All items are looked at before anything is awaited: afterwards browsers take them away.
  const looks = [...event.dataTransfer.items].filter(({ kind }) => kind === "file").map((item) => {
    const entry = item.webkitGetAsEntry();
    const file = item.getAsFile();
    return entry ? walk(entry) : [{ file, path: file.name }];
  });
  const found = (await Promise.all(looks)).flat();
  if (found.length) stage(found.sort((one, other) => one.path.localeCompare(other.path)));
});

/** All files below a dropped file or folder, with their paths. */
async function walk(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ file, path: entry.fullPath.slice(1) }];
  }
  const reader = entry.createReader();
  const inside = [];
  // A reader gives at most a hundred at a time.
  for (let more = [null]; more.length; ) {
    more = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    inside.push(...more);
  }
  return (await Promise.all(inside.map(walk))).flat();
}

ready();
listen("/events", {
  list: async () => {
    const answer = await fetch("/list").catch(() => null);
    if (answer?.ok) byId("cards").innerHTML = await answer.text(); // a page of ours, with all names escaped
  },
  progress: (progress) => {
    const card = [...document.querySelectorAll(".card")].find(({ dataset }) => dataset.name === progress.name);
    const bar = card?.querySelector("progress");
    if (!bar || !progress.stage) return;
    setBar(bar, progress);
    const left = progress.seconds_left === null ? "" : ` · ${clock(progress.seconds_left)} left`;
    card.querySelector("[data-says]").textContent = `${stageOf(progress)}${left}`;
  },
});
