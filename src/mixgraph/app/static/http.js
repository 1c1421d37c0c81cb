// Requests to the server, and words for when they fail.

export class Failure extends Error {}

/** Sends a request and returns its JSON; throws a `Failure` whose message can be shown. */
export async function ask(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, { method, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Failure("mixgraph does not answer. Is it still running in its terminal?");
  }
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Failure(said.error ?? refused(answer.status));
  return said;
}

/** Sends a file and reports how much of it has gone; `signal` breaks it off. */
export function send(path, file, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", path);
    request.responseType = "json";
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () =>
      request.status < 300 ? resolve() : reject(new Failure(request.response?.error ?? refused(request.status)));
    request.onerror = () => reject(new Failure(`${file.name}: could not be sent. Is mixgraph still running, and the file still there?`));
    request.onabort = () => reject(new Failure("Cancelled."));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

/** Shows a failure in an element that is announced to screen readers; hides it without one. */
export function show(element, failure) {
  element.hidden = !failure;
  element.textContent = failure?.message ?? "";
}

/** The facts that the server put into the page. */
export const facts = JSON.parse(document.getElementById("facts").textContent);

export const enc = encodeURIComponent;

/** Lets buttons be pressed, now that they do something. */
export function ready() {
  for (const button of document.querySelectorAll("[data-wait]")) button.disabled = false;
}

function refused(status) {
  return status === 403
    ? "mixgraph was started anew: open the address that it printed."
    : `mixgraph could not do this (${status}); what went wrong is in its terminal.`;
}
