// One search while it runs, and what is left of it afterwards.

import { Charts, Course } from "./chart.js";
import { drawConsole } from "./console.js";
import { ask, enc, facts, ready, show } from "./http.js";
import { clock, listen, setBar, stageOf } from "./live.js";

const byId = (id) => document.getElementById(id);
const path = `/api/results/${enc(facts.name)}`;
const title = document.title;
let table = null;
let course = null;
let charts = null;

function begin(strips) {
  if (!strips.length) return;
  table = drawConsole(byId("console"), strips);
  course = new Course(facts.total ?? table.total);
  charts = null;
  if (facts.done) table.remove(facts.removed);
  tell("processors", `${table.left()} of ${table.total}`);
}

function tell(id, text) {
  const element = byId(id);
  if (element) element.textContent = text;
}

function follow({ anew, points }) {
  course ??= new Course(facts.total ?? 0);
  if (anew) {
    course.clear();
    table?.restore();
  }
  course.add(points);
  table?.remove(points.flatMap(({ removed }) => removed ?? []));
  charts ??= new Charts(byId("charts"), course);
  charts.draw();
  const last = course.points.at(-1);
  if (last) tell("loss", last.smooth.toFixed(3));
  if (table && facts.active) tell("processors", `${table.left()} of ${table.total}`);
  if (!facts.active) source.close(); // this was all of it
}

const handlers = {
  status({ status, ahead }) {
    // Each kind of page comes from the server; a change of kind is a new page.
    const now = document.querySelector("h1 .badge").dataset.status;
    if (status === "gone") location.href = "/";
    else if (status !== now) location.reload();
    else if (status === "queued") tell("stage", ahead ? `Waiting: ${ahead} before it` : "Waiting for its turn");
  },
  console(strips) {
    if (!table) begin(strips);
  },
  course: follow,
  progress(progress) {
    if (!facts.active) return;
    setBar(byId("progress"), progress);
    tell("stage", stageOf(progress));
    const share = byId("progress").position;
    if (share >= 0) document.title = `${Math.floor(100 * share)} % · ${title}`;
    tell("spent", clock(progress.spent));
    tell("left", progress.seconds_left === null ? "–" : clock(progress.seconds_left));
  },
};

begin(facts.strips);
const source = byId("course") && listen(`/results/${enc(facts.name)}/events`, handlers);

function on(id, method, suffix, then) {
  const button = byId(id);
  if (!button) return;
  button.onclick = async () => {
    if (id === "remove" && !confirm("Remove this from the disk? It cannot be brought back.")) return;
    button.disabled = true;
    try {
      await ask(method, path + suffix);
      then();
    } catch (failure) {
      button.disabled = false;
      show(byId("wrong"), failure);
    }
  };
}

on("stop", "POST", "/stop", () => location.reload());
on("resume", "POST", "/resume", () => location.reload());
on("remove", "DELETE", "", () => {
  location.href = "/";
});
ready();
