// Denoise raw BGR frames, standard input to standard output, with onnxruntime-node or -web.
//
// node denoise.js lowlight-int8.onnx 640x480 [STRENGTH] < dark.bgr > clean.bgr

const fs = require("node:fs");
const ort = require(process.env.ORT ?? "onnxruntime-node"); // ORT=onnxruntime-web: the browser's engine

const [model, size, strength = 1] = process.argv.slice(2);
const [width, height] = size.split("x").map(Number);

// It is inside the file too, but JavaScript has no call to read it there.
const manifest = JSON.parse(fs.readFileSync(model + ".json"));

const product = (shape) => shape.reduce((a, b) => a * b);

// Of a state's side: a number, or "H/2", half of the frame's height padded to the network's stride.
function length(side) {
  if (typeof side === "number") return side;
  const [name, divisor = 1] = side.split("/");
  return (Math.ceil({ H: height, W: width }[name] / manifest.multiple) * manifest.multiple) / divisor;
}

function zeros(state) {
  const shape = state.shape.map(length);
  return new ort.Tensor("float32", new Float32Array(product(shape)), shape);
}

async function main() {
  const session = await ort.InferenceSession.create(fs.readFileSync(model), { logSeverityLevel: 3 });

  // A clip begins with a memory of zeros.
  const states = Object.fromEntries(manifest.states.map((state) => [state.name, zeros(state)]));
  const shape = [1, height, width, manifest.frame.shape[3]];
  const frame = new Uint8Array(product(shape));
  while (fill(frame)) {
    const got = await session.run({ frame: new ort.Tensor("uint8", frame, shape), ...states });
    for (const name in states) states[name] = got[name + "_next"]; // what it remembers goes into the next run
    write(mixed(frame, got.denoised.data));
  }
}

// JavaScript cannot set the file's optional input `strength`, so the frame is mixed in here.
function mixed(frame, denoised) {
  return strength < 1 ? denoised.map((clean, i) => Math.round(strength * clean + (1 - strength) * frame[i])) : denoised;
}

// Read one frame; false where the input has ended.
function fill(frame) {
  for (let filled = 0; filled < frame.length; ) {
    const count = fs.readSync(0, frame, filled, frame.length - filled, null);
    if (count === 0) return false;
    filled += count;
  }
  return true;
}

function write(bytes) {
  for (let written = 0; written < bytes.length; ) written += fs.writeSync(1, bytes, written);
}

main();
