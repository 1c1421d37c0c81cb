// Plays all mixes at once and lets one of them be heard: switching is a short ramp between gains, never a restart.
const AHEAD = 4; // seconds of sound that are ready at any time
const TICK = 250; // milliseconds between looks
const SOON = 0.06; // seconds from a start to its first sample
const YOURS = "yours";

const decibels = (value) => 10 ** (value / 20);

class Player extends EventTarget {
  constructor(data, texts, impulses, worklet) {
    super();
    this.data = data;
    this.texts = texts;
    this.impulses = impulses;
    this.worklet = worklet;
    this.source = data.sounds[0].key;
    this.matched = true;
    this.volume = 1;
    this.position = 0; // seconds, where the song stands while it does not play
    this.playing = false; // or about to
    this.begun = false; // sound is under way
    this.run = 0; // counts starts and stops, so that what was begun before can tell
    this.edits = { muted: new Set(), soloed: new Set(), bypassed: new Set() };
  }

  // Browsers want a gesture before there is sound, so nothing is made before the first one.
  open() {
    if (this.context) return;
    this.context = new AudioContext({ sampleRate: this.data.rate, latencyHint: "interactive" });
    this.output = new GainNode(this.context, { gain: this.volume });
    this.output.connect(this.context.destination);
    const graph = this.data.graph ?? [];
    // What the live graph takes longer, the mixes wait, so that they stay aligned.
    this.patience = new DelayNode(this.context, { maxDelayTime: 10 });
    this.patience.delayTime.value = Math.max(0, ...latencies(graph).values()) / this.data.rate;
    this.patience.connect(this.output);
    this.mixes = new Map(this.data.sounds.map(({ key }) => [key, this.voice(`mix:${key}`, this.patience)]));
    this.live = new GainNode(this.context, { gain: 0 });
    this.live.connect(this.output);
    this.applySource();
  }

  voice(key, destination) {
    const output = new GainNode(this.context, { gain: 0 });
    output.connect(destination);
    return { stream: new Stream(this.context, this.texts.get(key) ?? "", this.data), output, scale: this.data.scales[key] ?? 0, next: 0, sources: new Set() };
  }

  // Makes the live graph and the voices of its tracks; again and again gives the same.
  console() {
    this.made ??= Console.make(this.context, this.data.graph, this.impulses, this.worklet).then((made) => {
      made.output.connect(this.live);
      this.tracks = [...made.inputs].map(([track, input]) => {
        const voice = this.voice(`track:${track}`, input);
        voice.output.gain.value = voice.scale;
        return voice;
      });
      this.graph = made;
      this.applyEdits();
      return made;
    });
    return this.made;
  }

  get now() {
    if (!this.begun) return this.position;
    const heard = this.context.currentTime - this.origin - this.patience.delayTime.value;
    return Math.min(Math.max(heard, 0), this.data.seconds);
  }

  all() {
    return [...(this.mixes?.values() ?? []), ...(this.tracks ?? [])];
  }

  // Those that have to play; the others would only cost.
  voices() {
    return [...this.mixes.values(), ...(this.source === YOURS && this.tracks ? this.tracks : [])];
  }

  async play() {
    if (this.playing) return;
    this.open();
    const run = ++this.run;
    this.playing = true;
    this.dispatchEvent(new Event("change"));
    await this.context.resume();
    if (this.source === YOURS) await this.console();
    if (run !== this.run) return;
    const { rate, chunkSeconds } = this.data;
    const first = Math.floor(this.position / chunkSeconds);
    await Promise.all(this.voices().map((voice) => voice.stream.piece(first)));
    if (run !== this.run) return;
    this.origin = Math.round((this.context.currentTime + SOON - this.position) * rate) / rate;
    for (const voice of this.all()) voice.next = first;
    this.begun = true;
    this.tick(run);
  }

  pause() {
    if (!this.playing) return;
    this.position = this.now;
    this.halt();
    this.dispatchEvent(new Event("change"));
  }

  halt() {
    this.run++;
    this.playing = false;
    this.begun = false;
    clearTimeout(this.timer);
    for (const voice of this.all()) {
      for (const source of voice.sources) source.stop();
      voice.sources.clear();
    }
  }

  // Something cannot be played here: back to what was heard before.
  fail() {
    this.halt();
    this.source = "estimate";
    if (this.context) this.applySource();
    this.dispatchEvent(new Event("change"));
  }

  async seek(seconds) {
    const again = this.playing;
    if (again) this.halt();
    this.position = Math.min(Math.max(seconds, 0), this.data.seconds);
    this.dispatchEvent(new Event("change"));
    if (again) await this.play();
  }

  tick(run) {
    if (run !== this.run) return;
    if (this.now >= this.data.seconds) {
      this.halt();
      this.position = 0;
      this.dispatchEvent(new Event("change"));
      return;
    }
    for (const voice of this.voices()) this.feed(voice, run);
    this.timer = setTimeout(() => this.tick(run), TICK);
  }

  // Has every piece under way that is heard within the next seconds.
  feed(voice, run) {
    const { chunkSeconds, seconds } = this.data;
    const current = Math.floor(this.now / chunkSeconds);
    voice.next = Math.max(voice.next, current);
    const begun = [];
    while (voice.next * chunkSeconds < Math.min(this.now + AHEAD, seconds)) begun.push(this.place(voice, voice.next++, run));
    voice.stream.forgetAllBut(current);
    return Promise.all(begun);
  }

  async place(voice, index, run) {
    const piece = await voice.stream.piece(index);
    if (!piece || run !== this.run) return;
    const begin = this.origin + index * this.data.chunkSeconds;
    // Not before the start: a piece that begins earlier is entered where the song stands.
    const from = Math.max(this.context.currentTime + 0.01, this.origin + this.position);
    for (const source of voice.stream.start(piece, voice.output, begin, from)) {
      voice.sources.add(source);
      source.addEventListener("ended", () => voice.sources.delete(source));
    }
  }

  async select(source) {
    this.source = source;
    this.dispatchEvent(new Event("change"));
    if (!this.context) return;
    if (source === YOURS) {
      await this.console();
      if (this.playing && this.begun) await Promise.all(this.tracks.map((voice) => this.feed(voice, this.run)));
      if (this.source !== YOURS) return;
    }
    this.applySource();
  }

  gainOf(key) {
    const { sounds } = this.data;
    const wanted = this.matched ? key : sounds[0].key;
    return decibels((sounds.find((sound) => sound.key === wanted) ?? sounds[0]).gain_db);
  }

  applySource() {
    for (const [key, voice] of this.mixes)
      ramp(voice.output.gain, key === this.source ? voice.scale * this.gainOf(key) : 0, this.context);
    ramp(this.live.gain, this.source === YOURS ? this.gainOf("estimate") : 0, this.context);
  }

  setMatched(matched) {
    this.matched = matched;
    if (this.context) this.applySource();
  }

  setVolume(decibelsBelow) {
    this.volume = decibelsBelow <= -40 ? 0 : decibels(decibelsBelow);
    if (this.context) ramp(this.output.gain, this.volume, this.context);
  }

  get edited() {
    return Object.values(this.edits).some((set) => set.size > 0);
  }

  // Turns an edit of a kind ("muted", "soloed", "bypassed") on or off, and lets it be heard.
  toggle(kind, id) {
    const set = this.edits[kind];
    if (!set.delete(id)) set.add(id);
    this.applyEdits();
    return this.select(this.edited ? YOURS : "estimate");
  }

  reset() {
    for (const set of Object.values(this.edits)) set.clear();
    this.applyEdits();
    return this.select("estimate");
  }

  applyEdits() {
    this.dispatchEvent(new Event("change"));
    if (!this.graph) return;
    const { muted, soloed, bypassed } = this.edits;
    const audible = soloedTracks(this.data.graph, soloed);
    for (const node of this.data.graph) {
      const silenced = node.kind === "in" && soloed.size > 0 && !audible.has(node.id);
      this.graph.mute(node.id, muted.has(node.id) || silenced);
      this.graph.bypass(node.id, bypassed.has(node.id));
    }
  }
}

// The tracks that are soloed, or that feed a sum that is.
function soloedTracks(graph, soloed) {
  const audible = new Set(soloed);
  for (const node of [...graph].reverse()) if (audible.has(node.id)) node.from.forEach((id) => audible.add(id));
  return audible;
}
