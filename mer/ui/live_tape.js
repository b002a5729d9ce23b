// The last seconds of the live view as a file, and the way of that file to the Video tab.
(() => {
  "use strict";
  const LONGEST_MS = 15000; // of a clip
  const LEAST_MS = 5000; // by which two recordings overlap, so that one is always this long
  const BITS = 4e6; // a second
  const TYPES = ["video/webm;codecs=vp8", "video/webm", "video/mp4"]; // the last for Safari
  const find = (selector) => document.querySelector(selector);
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));

  let stream = null;
  let takes = []; // recordings under way, the oldest first
  let clock = 0;

  function begin() {
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    const recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: BITS });
    const take = { recorder, began: performance.now(), parts: [] };
    recorder.addEventListener("dataavailable", ({ data }) => take.parts.push(data));
    recorder.start();
    takes.push(take);
  }

  function turn() {
    const age = (take) => performance.now() - take.began;
    while (takes.length && age(takes[0]) >= LONGEST_MS) drop(takes.shift());
    if (!takes.length || age(takes.at(-1)) >= LONGEST_MS - LEAST_MS) begin();
  }

  function drop({ recorder }) {
    if (recorder.state !== "inactive") recorder.stop();
  }

  function start(camera) {
    stop();
    if (!window.MediaRecorder || !camera) return;
    stream = camera;
    begin();
    clock = setInterval(turn, 500);
  }

  function stop() {
    clearInterval(clock);
    takes.forEach(drop);
    takes = [];
  }

  // The longest recording, which ends now; null where there is none.
  async function cut() {
    const take = takes.shift();
    if (!take) return null;
    const stopped = new Promise((done) => take.recorder.addEventListener("stop", done));
    drop(take);
    await stopped;
    const type = take.recorder.mimeType.split(";")[0];
    return new File(take.parts, `live.${type.split("/")[1]}`, { type });
  }

  // The Video tab's place for a file, emptied of what was there.
  async function place() {
    for (let tries = 0; tries < 100; tries += 1) {
      const input = find("#film input[type=file]");
      if (input) return input;
      const clear = "#film button[aria-label=Clear], #film button[aria-label='Upload file']";
      find(clear)?.click();
      await wait(100);
    }
    return null;
  }

  async function toVideo(file) {
    const tabs = [...document.querySelectorAll("[role=tab]")];
    tabs.find((tab) => tab.textContent.trim() === "Video").click();
    window.mer.put(await place(), [file]);
    find("#analyse").focus();
  }

  Object.assign(window.mer, { tape: { start, stop, cut }, toVideo });
})();
