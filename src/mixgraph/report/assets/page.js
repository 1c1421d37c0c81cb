// Connects what is on the page with what it does.
const $ = (id) => document.getElementById(id);
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

$("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme === "dark" || (root.dataset.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "light" : "dark";
});

const inspector = new Inspector($("canvas"), $("inspector"));

for (const button of document.querySelectorAll("[data-show]"))
  button.addEventListener("click", () => {
    inspector.choose(button.dataset.show);
    $("flow").scrollIntoView({ block: "start" });
  });

$("show-pruned")?.addEventListener("change", (event) => {
  $("graph-kept").toggleAttribute("hidden", event.target.checked);
  $("graph-full").toggleAttribute("hidden", !event.target.checked);
  if (inspector.pinned) inspector.choose(inspector.pinned);
  else inspector.enter(inspector.visible()[0]);
});

if ($("page-data")) connect();

function connect() {
  const data = JSON.parse($("page-data").textContent);
  const texts = new Map([...document.querySelectorAll(".stream")].map((element) => [element.dataset.stream, element.textContent]));
  const impulses = [...document.querySelectorAll(".impulse")].map((element) => element.textContent);
  const player = new Player(data, texts, impulses, $("worklet")?.textContent ?? "");
  // For the console of the browser's tools, and for tests.
  globalThis.mixgraph = { player, Player, Console, Stream, stretches };

  const wave = $("wave");
  const radios = [...document.querySelectorAll("input[name=source]")];
  const charts = [...document.querySelectorAll("svg.seek")].map((svg) => {
    const { left, right, low, high } = svg.dataset;
    return { svg, cursor: svg.querySelector(".cursor"), left: +left, right: +right, low: +low, high: +high };
  });

  const attempt = (promise) =>
    Promise.resolve(promise).catch((error) => {
      player.fail();
      $("status").textContent = `This browser cannot play that: ${error.message}`;
    });

  function update() {
    $("play").classList.toggle("on", player.playing);
    $("play").setAttribute("aria-label", player.playing ? "Pause" : "Play");
    for (const radio of radios) radio.checked = radio.value === player.source;
    wave.dataset.source = player.source;
    for (const trace of wave.querySelectorAll(".trace"))
      trace.classList.toggle("on", trace.dataset.source === (player.source === YOURS ? "estimate" : player.source));
    const sound = data.sounds.find(({ key }) => key === player.source);
    const count = Object.values(player.edits).reduce((sum, set) => sum + set.size, 0);
    $("status").textContent = sound ? `${sound.title}: ${sound.about}.` : yourMix(count);
    for (const [attribute, kind] of [["mute", "muted"], ["solo", "soloed"], ["bypass", "bypassed"]])
      for (const button of document.querySelectorAll(`[data-${attribute}]`))
        button.setAttribute("aria-pressed", player.edits[kind].has(button.dataset[attribute]));
    for (const node of inspector.nodes) {
      node.classList.toggle("bypassed", player.edits.bypassed.has(node.dataset.node));
      node.classList.toggle("muted", player.edits.muted.has(node.dataset.node));
      node.classList.toggle("soloed", player.edits.soloed.has(node.dataset.node));
    }
    $("reset")?.toggleAttribute("hidden", !player.edited);
    show();
  }

  let shown = -1;
  function show() {
    const now = player.now;
    const told = `${clock(now)} / ${clock(data.seconds)}`;
    if ($("clock").textContent !== told) $("clock").textContent = told;
    // Painting costs more than the sound: only what has moved by half a pixel or so is drawn anew.
    const place = Math.round((2 * wave.clientWidth * now) / data.seconds);
    if (place !== shown) {
      shown = place;
      $("played").style.width = `${(100 * now) / data.seconds}%`;
      wave.setAttribute("aria-valuenow", now.toFixed(1));
      wave.setAttribute("aria-valuetext", `${clock(now)} of ${clock(data.seconds)}`);
      for (const { cursor, left, right, low, high } of charts)
        cursor.setAttribute("transform", `translate(${((now - low) / (high - low)) * (right - left)} 0)`);
    }
    if (player.playing) requestAnimationFrame(show);
  }

  player.addEventListener("change", update);
  $("play").disabled = false;
  $("play").addEventListener("click", () => attempt(player.playing ? player.pause() : player.play()));
  for (const radio of radios) radio.addEventListener("change", () => attempt(player.select(radio.value)));
  $("volume").addEventListener("input", (event) => player.setVolume(+event.target.value));
  $("matched").addEventListener("change", (event) => player.setMatched(event.target.checked));
  $("reset")?.addEventListener("click", () => attempt(player.reset()));
  for (const [attribute, kind] of [["mute", "muted"], ["solo", "soloed"], ["bypass", "bypassed"]])
    for (const button of document.querySelectorAll(`[data-${attribute}]`))
      button.addEventListener("click", () => attempt(player.toggle(kind, button.dataset[attribute])));

  const seekTo = (event) => {
    const { left, width } = wave.getBoundingClientRect();
    return attempt(player.seek(((event.clientX - left) / width) * data.seconds));
  };
  wave.addEventListener("pointerdown", seekTo);
  wave.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5, PageUp: 30, PageDown: -30 };
    const target = { Home: 0, End: data.seconds }[event.key] ?? (event.key in steps ? player.now + steps[event.key] : null);
    if (target === null) return;
    event.preventDefault();
    attempt(player.seek(target));
  });
  for (const { svg, left, right, low, high } of charts)
    svg.addEventListener("click", (event) => {
      const box = svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
      attempt(player.seek(low + ((x - left) / (right - left)) * (high - low)));
    });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !$("shortcuts").checked) return;
    const place = event.target;
    const typing = place.matches("input:not([type=radio]):not([type=checkbox]), textarea, select");
    if (typing) return;
    const key = event.key.toLowerCase();
    const edit = { b: ["bypass", "bypassed"], m: ["mute", "muted"], s: ["solo", "soloed"] }[key];
    if (key === " " && !place.matches("button, summary, input, a")) {
      event.preventDefault();
      attempt(player.playing ? player.pause() : player.play());
    } else if (radios[Number(key) - 1]) {
      attempt(player.select(radios[Number(key) - 1].value));
    } else if (edit && data.graph) {
      const [attribute, kind] = edit;
      const allowed = [...document.querySelectorAll(`#inspector [data-${attribute}]`)].some((button) => button.dataset[attribute] === inspector.pinned);
      if (allowed) attempt(player.toggle(kind, inspector.pinned));
    }
  });
  update();
}

function yourMix(count) {
  return count ? `Your mix: the estimate with ${count} change${count === 1 ? "" : "s"}.` : "Your mix: the graph computed now, nothing changed yet.";
}
