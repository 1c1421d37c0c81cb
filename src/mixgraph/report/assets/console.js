// The found graph, computed while one listens. Every path takes the same time: linear-phase responses delay what they
// filter, and what runs beside them waits as long.
const RAMP = 0.012; // seconds in which a gain changes

function ramp(parameter, value, context) {
  const now = context.currentTime;
  parameter.cancelScheduledValues(now);
  parameter.setValueAtTime(parameter.value, now);
  parameter.linearRampToValueAtTime(value, now + RAMP);
}

// By node, the samples that have gone by when a sound leaves it.
function latencies(graph) {
  const known = new Map();
  for (const node of graph) known.set(node.id, Math.max(0, ...node.from.map((id) => known.get(id))) + (node.origin ?? 0));
  return known;
}

class Console {
  // `graph` are the nodes as mixgraph's report/live.py writes them, `impulses` the responses as base64.
  static async make(context, graph, impulses, worklet) {
    if (graph.some((node) => node.kind === "knee")) {
      if (!context.audioWorklet) throw new Error("this browser offers no audio worklets to local pages");
      // Chromium loads no worklet from a blob of a local page.
      await context.audioWorklet.addModule(`data:text/javascript;charset=utf-8,${encodeURIComponent(worklet)}`);
    }
    const buffers = await Promise.all(impulses.map((text) => context.decodeAudioData(bytesOf(text))));
    return new Console(context, graph, buffers);
  }

  constructor(context, graph, buffers) {
    this.context = context;
    this.gates = new Map(); // by node: the gain that mutes it
    this.inputs = new Map(); // by track
    this.setters = new Map(); // by processor: sets its share of wet signal
    const latency = latencies(graph);
    const ends = new Map();
    for (const node of graph) {
      const arrival = latency.get(node.id) - (node.origin ?? 0);
      const entry = new GainNode(context, { channelCount: 2, channelCountMode: "explicit" });
      for (const id of node.from) this.wait(ends.get(id), arrival - latency.get(id)).connect(entry);
      ends.set(node.id, this.effect(node, entry, buffers));
      if (node.kind === "in") this.inputs.set(node.track, entry);
    }
    // Everything leads to the output, so it comes last.
    this.output = ends.get(graph[graph.length - 1].id);
  }

  effect(node, entry, buffers) {
    switch (node.kind) {
      case "response":
        return this.response(node, entry, buffers[node.impulse]);
      case "matrix":
        return this.matrix(node, entry);
      case "knee":
        return this.knee(node, entry);
      default: {
        const gate = new GainNode(this.context);
        this.gates.set(node.id, gate.gain);
        return entry.connect(gate);
      }
    }
  }

  response(node, entry, buffer) {
    const convolver = new ConvolverNode(this.context, { buffer, disableNormalization: true });
    const wet = new GainNode(this.context, { gain: node.wet * node.scale });
    const dry = new GainNode(this.context, { gain: 1 - node.wet });
    const sum = new GainNode(this.context);
    entry.connect(convolver).connect(wet).connect(sum);
    this.wait(entry, node.origin).connect(dry).connect(sum);
    this.setters.set(node.id, (share) => {
      ramp(wet.gain, node.wet * node.scale * share, this.context);
      ramp(dry.gain, 1 - node.wet * share, this.context);
    });
    return sum;
  }

  matrix(node, entry) {
    const split = new ChannelSplitterNode(this.context, { numberOfOutputs: 2 });
    const merge = new ChannelMergerNode(this.context, { numberOfInputs: 2 });
    entry.connect(split);
    const gains = node.matrix.map((value, index) => {
      const same = index === 0 || index === 3 ? 1 : 0;
      const mixed = (share) => same + node.wet * share * (value - same);
      const gain = new GainNode(this.context, { gain: mixed(1) });
      split.connect(gain, index % 2).connect(merge, 0, index >> 1);
      return { gain, mixed };
    });
    this.setters.set(node.id, (share) => gains.forEach(({ gain, mixed }) => ramp(gain.gain, mixed(share), this.context)));
    return merge;
  }

  knee(node, entry) {
    const worklet = new AudioWorkletNode(this.context, "knee", {
      channelCount: 2,
      channelCountMode: "explicit",
      outputChannelCount: [2],
      parameterData: { wet: node.wet },
      processorOptions: node.knee,
    });
    const wet = worklet.parameters.get("wet");
    this.setters.set(node.id, (share) => ramp(wet, node.wet * share, this.context));
    return entry.connect(worklet);
  }

  wait(node, samples) {
    if (!samples) return node;
    const seconds = samples / this.context.sampleRate;
    return node.connect(new DelayNode(this.context, { delayTime: seconds, maxDelayTime: seconds + 0.01 }));
  }

  bypass(id, bypassed) {
    this.setters.get(id)?.(bypassed ? 0 : 1);
  }

  mute(id, muted) {
    const gate = this.gates.get(id);
    if (gate) ramp(gate, muted ? 0 : 1, this.context);
  }
}
