// Compressor and noise gate: the recursion and the curve of mixgraph's dsp/dynamics.py, sample by sample.
class Knee extends AudioWorkletProcessor {
  static get parameterDescriptors() {
    return [{ name: "wet", defaultValue: 1, minValue: 0, maxValue: 1, automationRate: "a-rate" }];
  }

  constructor(options) {
    super();
    this.knee = options.processorOptions;
    this.envelope = 0;
  }

  process([input], [output], parameters) {
    const { threshold, rate, half_knee, smoothing, sign, floor } = this.knee;
    const half = Math.max(half_knee, 1e-6);
    const [left, right] = output;
    const inLeft = input[0] ?? new Float32Array(left.length);
    const inRight = input[1] ?? inLeft;
    const wet = parameters.wet;
    for (let n = 0; n < left.length; n++) {
      const energy = (inLeft[n] * inLeft[n] + inRight[n] * inRight[n]) / 2;
      this.envelope = smoothing * this.envelope + (1 - smoothing) * energy;
      const over = sign * (Math.log(this.envelope + floor) - threshold);
      const inside = Math.min(1, Math.max(0, (over + half) / (2 * half)));
      const gain = Math.exp(rate * (half * inside * inside + Math.max(0, over - half)));
      const share = wet.length > 1 ? wet[n] : wet[0];
      const mixed = 1 - share + share * gain;
      left[n] = inLeft[n] * mixed;
      right[n] = inRight[n] * mixed;
    }
    return true;
  }
}
registerProcessor("knee", Knee);
