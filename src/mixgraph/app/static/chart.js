// Two curves over the course of a search: the loss and the processors left, in SVG.

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = { left: 40, right: 8, top: 14, bottom: 18 };
const SMOOTHING = 0.9;

function svg(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** The points of a search, as they come in. */
export class Course {
  constructor(total) {
    this.total = total;
    this.clear();
  }

  clear() {
    this.points = []; // {loss, smooth, left, round, trial}
    this.left = this.total;
  }

  /** Adds what the server sends. Training losses are of one segment each, so they are smoothed; trials judge the song. */
  add(points) {
    for (const { round, loss, removed } of points) {
      const last = this.points.at(-1);
      const trial = removed !== undefined;
      this.left -= removed?.length ?? 0;
      const before = last?.smooth ?? loss;
      const smooth = !trial ? SMOOTHING * before + (1 - SMOOTHING) * loss : removed.length ? loss : before;
      this.points.push({ round, loss, smooth, left: this.left, trial });
    }
  }
}

/** Draws both charts into an element, and anew whenever it is told or resized. */
export class Charts {
  constructor(element, course) {
    this.course = course;
    this.loss = new Chart("Distance from the mix (loss)", true, (point) => point.smooth, (value) => value.toFixed(3));
    this.left = new Chart("Processors left", false, (point) => point.left, (value) => String(value));
    const entry = (name, text) => make("span", { className: `key-${name}` }, make("i"), text);
    const key = make("p", { className: "key muted small" }, entry("smooth", "smoothed"), entry("raw", "each step and trial"), entry("band", "pruning"));
    element.replaceChildren(...this.loss.parts, key, ...this.left.parts);
    new ResizeObserver(() => this.draw()).observe(element);
    for (const chart of [this.loss, this.left]) {
      chart.picture.onpointermove = (event) => this.point(chart.indexAt(event));
      chart.picture.onpointerleave = () => this.point(null);
    }
  }

  draw() {
    this.loss.draw(this.course.points);
    this.left.draw(this.course.points);
  }

  point(index) {
    this.loss.point(index);
    this.left.point(index);
  }
}

class Chart {
  constructor(title, isLoss, value, format) {
    Object.assign(this, { title, isLoss, value, format, points: [] });
    this.says = make("output");
    this.picture = svg("svg", { class: "chart", role: "img" });
    this.parts = [make("p", { className: "caption" }, make("span", { textContent: title }), this.says), this.picture];
  }

  draw(points) {
    this.points = points;
    const width = this.picture.parentElement?.clientWidth ?? 0;
    if (!points.length || !width) return;
    const height = this.isLoss ? 220 : 130;
    this.width = width;
    this.picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const shown = this.isLoss ? points.flatMap(({ loss, smooth }) => [loss, smooth]) : [0, ...points.map(this.value)];
    let [low, high] = [percentile(shown, 0), percentile(shown, this.isLoss ? 0.995 : 1)];
    const scale = this.isLoss ? Math.log : (value) => value;
    if (this.isLoss) [low, high] = [Math.max(low, 1e-4) / 1.05, Math.max(high, 1e-4) * 1.05];
    const span = scale(high) - scale(low) || 1;
    this.x = (index) => MARGIN.left + ((width - MARGIN.left - MARGIN.right) * index) / Math.max(points.length - 1, 1);
    const inner = height - MARGIN.top - MARGIN.bottom;
    const clamp = (value) => Math.min(Math.max(value, low), high);
    this.y = (value) => MARGIN.top + inner * (1 - (scale(clamp(value)) - scale(low)) / span);
    const parts = [...this.bands(points, height), ...this.grid(low, high, width)];
    if (this.isLoss) parts.push(svg("path", { class: "raw", d: this.path(points, (point) => point.loss) }));
    parts.push(svg("path", { class: "smooth", d: this.path(points, this.value) }));
    this.cursor = svg("line", { class: "cursor", y1: MARGIN.top, y2: height - MARGIN.bottom });
    this.picture.replaceChildren(...parts, this.cursor);
    this.point(null);
    this.picture.setAttribute("aria-label", `${this.title}: from ${this.format(this.value(points[0]))} to ${this.format(this.value(points.at(-1)))}`);
  }

  /** A line through all points, at most two per pixel: the least and the greatest of those that share one. */
  path(points, value) {
    const step = Math.max(1, Math.floor(points.length / this.width));
    const places = [];
    for (let start = 0; start < points.length; start += step) {
      const part = points.slice(start, start + step).map((point, index) => [start + index, value(point)]);
      const least = part.reduce((one, other) => (other[1] < one[1] ? other : one));
      const most = part.reduce((one, other) => (other[1] > one[1] ? other : one));
      places.push(...(step === 1 ? part : [least, most].sort((one, other) => one[0] - other[0])));
    }
    return places.map(([index, y], number) => `${number ? "L" : "M"}${this.x(index).toFixed(1)} ${this.y(y).toFixed(1)}`).join("");
  }

  bands(points, height) {
    const parts = [];
    let start = null;
    for (let index = 0; index <= points.length; index += 1) {
      const inside = points[index]?.trial ?? false;
      if (inside && start === null) start = index;
      if (!inside && start !== null) {
        const [from, to] = [this.x(Math.max(start - 0.5, 0)), this.x(Math.min(index - 0.5, points.length - 1))];
        parts.push(svg("rect", { class: "band", x: from, y: MARGIN.top, width: Math.max(to - from, 1), height: height - MARGIN.top - MARGIN.bottom }));
        start = null;
      }
    }
    return parts;
  }

  grid(low, high, width) {
    return ticks(low, high, this.isLoss).flatMap((value) => {
      const y = this.y(value);
      return [
        svg("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: y, y2: y }),
        svg("text", { x: MARGIN.left - 6, y: y + 4, "text-anchor": "end" }, String(value)),
      ];
    });
  }

  indexAt(event) {
    const box = this.picture.getBoundingClientRect();
    const share = (event.clientX - box.left - MARGIN.left) / (box.width - MARGIN.left - MARGIN.right);
    return Math.round(Math.min(Math.max(share, 0), 1) * (this.points.length - 1));
  }

  point(index) {
    const point = this.points[index ?? this.points.length - 1];
    if (!point || !this.cursor) return;
    this.cursor.setAttribute("visibility", index === null ? "hidden" : "visible");
    for (const end of ["x1", "x2"]) this.cursor.setAttribute(end, this.x(index ?? 0));
    const where = index === null ? "" : point.trial ? `trial in round ${point.round}: ` : point.round ? `fine-tuning ${point.round}: ` : "console: ";
    this.says.textContent = `${where}${this.format(this.value(point))}`;
  }
}

function percentile(values, share) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.round(share * (sorted.length - 1))];
}

/** Round numbers between two values; 1, 2 and 5 times powers of ten where the scale is logarithmic. */
function ticks(low, high, isLogarithmic) {
  if (isLogarithmic) {
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
      for (const digit of [1, 2, 5]) {
        const value = Number((digit * 10 ** power).toPrecision(1));
        if (value >= low && value <= high) found.push(value);
      }
    }
    if (found.length > 1) return found;
    return [low, Math.sqrt(low * high), high].map((value) => Number(value.toPrecision(2)));
  }
  const raw = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(raw || 1));
  const step = Math.max(1, [1, 2, 5, 10].map((digit) => digit * power).find((value) => value >= raw) ?? 1);
  return Array.from({ length: Math.floor(high / step) + 1 }, (_, index) => index * step).filter((value) => value >= low);
}
