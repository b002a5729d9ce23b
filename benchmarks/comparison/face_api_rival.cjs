// Runs @vladmandic/face-api on a job; started by rivals.py in a folder that has it.
// What it prints is one JSON object.
const fs = require("fs");
const path = require("path");
const tf = require("@tensorflow/tfjs");
const wasm = require("@tensorflow/tfjs-backend-wasm");
const faceapi = require("@vladmandic/face-api/dist/face-api.node-wasm.js");

const MODULES = path.join(process.cwd(), "node_modules");
const NAMES = { angry: "anger", disgusted: "disgust", fearful: "fear", happy: "happiness",
  neutral: "neutral", sad: "sadness", surprised: "surprise" };

async function main() {
  const job = JSON.parse(fs.readFileSync(0, "utf8"));
  await ready();
  const find = new faceapi.TinyFaceDetectorOptions();
  const times = {};
  const faces = {};
  for (const one of job.frames) {
    const pixels = new Uint8Array(fs.readFileSync(one.file));
    const frame = tf.tensor3d(pixels, [one.height, one.width, 3], "int32");
    times[one.name] = [];
    for (let run = 0; run < job.repeats; run++) {
      const began = performance.now();
      const found = await faceapi.detectAllFaces(frame, find).withFaceExpressions();
      times[one.name].push(performance.now() - began);
      faces[one.name] = found.length;
    }
  }
  console.log(JSON.stringify({ times, faces, answers: await answers(job.pictures) }));
}

async function ready() {
  wasm.setWasmPaths(path.join(MODULES, "@tensorflow/tfjs-backend-wasm/dist/"));
  await faceapi.tf.setBackend("wasm");
  await faceapi.tf.ready();
  const weights = path.join(MODULES, "@vladmandic/face-api/model");
  await faceapi.nets.tinyFaceDetector.loadFromDisk(weights);
  await faceapi.nets.faceExpressionNet.loadFromDisk(weights);
}

// What pictures that are all face look like.
async function answers(pictures) {
  if (!pictures) return [];
  const side = pictures.side;
  const bytes = new Uint8Array(fs.readFileSync(pictures.file));
  const said = [];
  for (let start = 0; start < bytes.length; start += 3 * side * side) {
    const picture = tf.tensor3d(bytes.slice(start, start + 3 * side * side), [side, side, 3], "int32");
    const sorted = (await faceapi.nets.faceExpressionNet.predictExpressions(picture)).asSortedArray();
    said.push(NAMES[sorted[0].expression]);
    picture.dispose();
  }
  return said;
}

main();
