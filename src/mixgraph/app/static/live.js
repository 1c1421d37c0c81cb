// Server-sent events, with a notice while the server cannot be reached.

const notice = document.getElementById("notice");

/** Listens to events by name; reconnects by itself after a short loss. */
export function listen(path, handlers) {
  const source = new EventSource(path);
  for (const [name, handle] of Object.entries(handlers)) {
    source.addEventListener(name, (event) => handle(JSON.parse(event.data)));
  }
  source.onopen = () => {
    notice.hidden = true;
  };
  source.onerror = () => {
    notice.hidden = false;
    notice.textContent =
      source.readyState === EventSource.CLOSED
        ? "mixgraph was started anew: open the address that it printed."
        : "mixgraph does not answer. Is it still running in its terminal? Trying again …";
  };
  addEventListener("pagehide", () => source.close());
  return source;
}

const STAGES = { console: "Fitting the console", prune: "Pruning", fine_tune: "Fine-tuning", finish: "Finishing" };

/** Where a search stands, in words. */
export function stageOf(progress) {
  const name = STAGES[progress.stage] ?? progress.stage;
  const round = ["prune", "fine_tune"].includes(progress.stage) ? `, round ${progress.round} of ${progress.rounds}` : "";
  if (progress.steps && progress.step === progress.steps) return `${name}${round} · measuring what was reached`;
  const step = progress.steps ? `step ${progress.step} of ${progress.steps}` : `trial ${progress.step}`;
  return `${name}${round} · ${step}`;
}

/** Sets a progress bar from the time taken and the time left; it runs to and fro while that is unknown. */
export function setBar(bar, progress) {
  if (progress.seconds_left === null) {
    bar.removeAttribute("value");
    return;
  }
  bar.max = 1;
  bar.value = progress.spent / Math.max(progress.spent + progress.seconds_left, 1e-3);
}

/** Seconds as 0:42, 12:05 or 1:02:05. */
export function clock(seconds) {
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const [hours, minutes, rest] = parts;
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
