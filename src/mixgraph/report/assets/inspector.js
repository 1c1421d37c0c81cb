// The graph to look at: one node is chosen at a time, by pointer, by tap or with the arrow keys.
class Inspector extends EventTarget {
  constructor(canvas, panel) {
    super();
    this.canvas = canvas;
    this.panel = panel;
    this.pinned = null;
    // Wide graphs shrink to fit, as long as they can be read.
    for (const svg of canvas.querySelectorAll("svg")) svg.style.minWidth = `${0.75 * svg.viewBox.baseVal.width}px`;
    this.details = new Map([...panel.querySelectorAll(".detail")].map((detail) => [detail.dataset.detail, detail]));
    this.nodes = [...canvas.querySelectorAll(".node:not(.pruned)")].filter((node) => this.details.has(node.dataset.node));
    for (const node of this.nodes) {
      node.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && this.show(node.dataset.node));
      node.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.show(this.pinned));
      node.addEventListener("click", () => this.choose(node.dataset.node));
      node.addEventListener("focus", () => this.choose(node.dataset.node));
      node.addEventListener("keydown", (event) => this.move(event, node));
    }
    canvas.addEventListener("click", (event) => event.target.closest(".node") || this.leave());
    canvas.addEventListener("keydown", (event) => event.key === "Escape" && this.leave());
    this.enter(this.nodes[0]);
  }

  leave() {
    this.pinned = null;
    this.show(null);
  }

  // Chosen stays chosen when the pointer leaves.
  choose(id) {
    this.pinned = id;
    this.show(id);
    const node = this.visible().find((other) => other.dataset.node === id);
    this.enter(node);
    // On a phone the details come up over the lower half.
    node?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  show(id) {
    for (const [name, detail] of this.details) detail.hidden = name !== id;
    this.panel.querySelector(".hint").hidden = this.details.has(id);
    this.panel.classList.toggle("open", this.details.has(id));
    for (const node of this.nodes) node.classList.toggle("chosen", node.dataset.node === id);
    for (const wire of this.canvas.querySelectorAll(".wire"))
      wire.classList.toggle("near", wire.dataset.start === id || wire.dataset.end === id);
    this.dispatchEvent(new CustomEvent("shown", { detail: id }));
  }

  visible() {
    return this.nodes.filter((node) => !node.ownerSVGElement.hasAttribute("hidden"));
  }

  // One node of the graph is in the order of the tab key; from it, arrow keys lead on.
  enter(node) {
    for (const other of this.nodes) other.setAttribute("tabindex", other === node ? "0" : "-1");
  }

  move(event, node) {
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "Enter") this.choose(node.dataset.node);
    if (!direction) return;
    event.preventDefault();
    const [dx, dy] = direction;
    const place = (other) => {
      const { x, y, width, height } = other.getBoundingClientRect();
      return [x + width / 2, y + height / 2];
    };
    const [x, y] = place(node);
    let nearest = null;
    let least = Infinity;
    for (const other of this.visible()) {
      const [otherX, otherY] = place(other);
      const along = (otherX - x) * dx + (otherY - y) * dy;
      const aside = Math.abs((otherX - x) * dy) + Math.abs((otherY - y) * dx);
      const distance = along + 3 * aside;
      if (along > 4 && distance < least) [nearest, least] = [other, distance];
    }
    nearest?.focus();
  }
}
