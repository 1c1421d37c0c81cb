// Waits for the report that is being made, then shows it.

import { ask, enc, facts, show } from "./http.js";

const byId = (id) => document.getElementById(id);

async function make() {
  byId("again").hidden = true;
  byId("working").hidden = byId("says").hidden = false;
  show(byId("wrong"), null);
  try {
    await ask("POST", `/api/results/${enc(facts.name)}/report`);
    location.reload();
  } catch (failure) {
    byId("working").hidden = byId("says").hidden = true;
    byId("again").hidden = false;
    show(byId("wrong"), failure);
  }
}

byId("again").onclick = make;
make();
