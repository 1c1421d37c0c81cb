// Sound in pieces: each is decoded when it is about to be heard, and forgotten afterwards, so that a page with twenty
// tracks of four minutes takes no gigabytes.
const SEAM = 0.006; // seconds over which one piece takes over from the other; both hold the same sound there

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes.buffer;
}

class Stream {
  constructor(context, text, settings) {
    this.context = context;
    this.pieces = text ? text.split("\n") : [];
    this.settings = settings;
    this.decoded = new Map();
  }

  // The audio of one piece; null where it is silent.
  piece(index) {
    if (!this.pieces[index]) return Promise.resolve(null);
    if (!this.decoded.has(index)) this.decoded.set(index, this.context.decodeAudioData(bytesOf(this.pieces[index])));
    return this.decoded.get(index);
  }

  forgetAllBut(index) {
    for (const known of this.decoded.keys()) if (known < index || known > index + 1) this.decoded.delete(known);
  }

  // Lets a piece be heard in its place: `begin` is the context's time at which the piece belongs, `from` the earliest
  // at which it can still be heard. Returns what to stop, null if it is too late.
  start(buffer, output, begin, from) {
    const { rate, chunkSeconds, leadSeconds } = this.settings;
    const late = Math.max(0, Math.ceil((from - begin) * rate) / rate);
    if (late >= chunkSeconds) return null;
    const source = new AudioBufferSourceNode(this.context, { buffer });
    const fader = new GainNode(this.context, { gain: 0 });
    const when = begin + late;
    const end = begin + chunkSeconds;
    fader.gain.setValueAtTime(0, when);
    fader.gain.linearRampToValueAtTime(1, when + SEAM);
    fader.gain.setValueAtTime(1, Math.max(end, when + SEAM));
    fader.gain.linearRampToValueAtTime(0, Math.max(end, when + SEAM) + SEAM);
    source.connect(fader).connect(output);
    source.start(when, leadSeconds + late);
    source.stop(end + 3 * SEAM);
    source.onended = () => fader.disconnect();
    return source;
  }
}
