// Sound in pieces: each is decoded when it is about to be heard, and forgotten afterwards, so that a page with twenty
// tracks of four minutes takes no gigabytes.
const SEAM = 0.006; // seconds over which one piece takes over from the other; both hold the same sound there
const SILENCE = 2 ** -15; // of a stream's peak: below it nothing is played, and what follows may rest
const LOOK = 0.05; // seconds of the blocks in which silence is looked for
const PAUSE = 10; // blocks: shorter silences are played

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes.buffer;
}

// Where a buffer sounds: [from, to] in seconds, a block of silence on either side. A convolver behind a track that has
// nothing to play costs nothing.
function stretches(buffer) {
  const size = Math.round(LOOK * buffer.sampleRate);
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, index) => buffer.getChannelData(index));
  const sounding = (block) => channels.some((samples) => samples.subarray(block * size, (block + 1) * size).some((value) => Math.abs(value) > SILENCE));
  const found = [];
  for (let block = 0; block * size < buffer.length; block++) {
    if (!sounding(block)) continue;
    const last = found[found.length - 1];
    if (last && block - last[1] < PAUSE) last[1] = block + 2;
    else found.push([block - 1, block + 2]);
  }
  return found.map(([first, end]) => [Math.max(0, first) * LOOK, Math.min(end * LOOK, buffer.duration)]);
}

class Stream {
  constructor(context, text, settings) {
    this.context = context;
    this.pieces = text ? text.split("\n") : [];
    this.settings = settings;
    this.decoded = new Map();
  }

  // The audio of one piece and where it sounds; null where it is silent. Looking for silence takes a while, so it is done
  // before anybody asks what time it is.
  piece(index) {
    if (!this.pieces[index]) return Promise.resolve(null);
    if (!this.decoded.has(index)) this.decoded.set(index, this.decode(this.pieces[index]));
    return this.decoded.get(index);
  }

  async decode(text) {
    const buffer = await this.context.decodeAudioData(bytesOf(text));
    return { buffer, sounding: stretches(buffer) };
  }

  forgetAllBut(index) {
    for (const known of this.decoded.keys()) if (known < index || known > index + 1) this.decoded.delete(known);
  }

  // Lets a piece be heard in its place: `begin` is the context's time at which the piece belongs, `from` the earliest
  // at which it can still be heard. Returns the sources to stop, none if it is too late or silent.
  start({ buffer, sounding }, output, begin, from) {
    const { rate, chunkSeconds, leadSeconds } = this.settings;
    const late = Math.max(0, Math.ceil((from - begin) * rate) / rate);
    if (late >= chunkSeconds) return [];
    const fader = new GainNode(this.context, { gain: 0 });
    const when = begin + late;
    const end = begin + chunkSeconds;
    fader.gain.setValueAtTime(0, when);
    fader.gain.linearRampToValueAtTime(1, when + SEAM);
    fader.gain.setValueAtTime(1, Math.max(end, when + SEAM));
    fader.gain.linearRampToValueAtTime(0, Math.max(end, when + SEAM) + SEAM);
    fader.connect(output);
    const [open, close] = [leadSeconds + late, leadSeconds + chunkSeconds + 3 * SEAM];
    const heard = sounding.filter(([first, last]) => last > open && first < close);
    const sources = new Set();
    for (const [first, last] of heard) {
      const source = new AudioBufferSourceNode(this.context, { buffer });
      const offset = Math.max(first, open);
      source.connect(fader);
      source.start(when + offset - open, offset);
      source.stop(when + Math.min(last, close) - open);
      source.onended = () => sources.delete(source) && sources.size === 0 && fader.disconnect();
      sources.add(source);
    }
    return [...sources];
  }
}
