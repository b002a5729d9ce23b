// The live view: the newest frame to the server, boxes over the camera's picture, trails below.
(() => {
  "use strict";
  const SIDE = 640; // pixels of the long side of what is sent
  const LEAST_MS = 66; // between two frames: a quick server is left time for others
  const PATIENCE_MS = 15000; // for an answer
  const AGAIN_MS = 2000; // after one that did not come
  const LATE_MS = 3000; // over which the rate is measured
  const SPOKEN_MS = 5000; // between two sentences for a screen reader
  const GONE_MS = 3000; // that the panel of somebody out of sight stays
  const EMPTY_MS = 1500; // without a face, until that is said
  const ON = "The live view is on.";
  const NOBODY = "No face in view. Turn to the camera, come closer, or make more light.";

  const find = (selector) => document.querySelector(selector);
  const within = (selector) => find(`#live ${selector}`);
  const camera = () => find("#camera .camera");
  const film = () => find("#camera video");
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));

  let key = ""; // to this visitor's place on the server
  let run = 0; // counts the starts: a loop of an earlier one ends by itself
  let state = "off"; // or "live", "paused"
  let [resting, insisting] = [false, false]; // to be told with the next frame
  let counting = false; // while resting faces are watched
  let failing = false; // the last frame, of which a sentence tells
  let known = null; // what page and server agree on: colours, length of the trail
  let answers = []; // of late: when, how long, whether others were waited for
  let spoken = { at: 0, text: "" };
  let emptied = 0; // when the last face went out of view
  const panels = new Map(); // by number of the person

  function say(sentence, trouble = false) {
    within(".said").textContent = sentence;
    within(".said").classList.toggle("problem", trouble);
  }

  function become(next) {
    state = next;
    run += 1;
    const live = state === "live";
    within(".go").hidden = within(".end").hidden = state === "off";
    within(".go").textContent = live ? "Pause" : "Resume";
    within(".running").hidden = !live;
    camera().classList.toggle("watched", state !== "off");
    if (live) window.mer.tape.start(film().srcObject);
    else window.mer.tape.stop();
    if (!live) clear();
    if (state === "off") forget();
  }

  // Wherever the camera was started from, it is watched.
  async function begin() {
    const { colors, trail } = within(".live-view").dataset;
    known = { colors: JSON.parse(colors), trail: Number(trail) };
    const entered = key || (await enter());
    if (!film().srcObject) return leave();
    if (!entered) return become("paused");
    say(state === "paused" ? "The live view goes on." : ON);
    become("live");
    if (document.activeElement === document.body) within(".go").focus(); // Start is gone
    within(".turn").hidden = !(await window.mer.camera.several());
    loop(run);
  }

  const go = () => (state === "live" ? pause() : begin());

  async function enter() {
    try {
      const { problem, key: mine } = await ask("start");
      if (problem) say(problem, true);
      key = mine || "";
    } catch {
      say("The computer that runs this page does not answer. Press Resume to try again.", true);
    }
    return Boolean(key);
  }

  function pause() {
    become("paused");
    say("Paused: no picture leaves this computer. After a minute, resting faces are forgotten.");
  }

  function end() {
    if (state === "off") return;
    leave();
    become("off");
    say("The live view is off, and so is the camera.");
    window.mer.camera.stop();
    within(".turn").hidden = true;
    find("#camera .start").focus();
  }

  // Also while the page closes, hence keepalive.
  function leave() {
    if (key) ask("stop", { keepalive: true }).catch(() => {});
    key = "";
  }

  async function ask(what, options = {}, query = "") {
    const headers = { "X-Live-Key": key };
    const answer = await fetch(`live/${what}${query}`, { method: "POST", headers, ...options });
    return answer.status === 204 ? {} : answer.json();
  }

  // One frame is on its way at a time, always the newest; whatever came meanwhile is never sent.
  async function loop(mine) {
    while (mine === run) {
      const began = performance.now();
      if (!document.hidden) await once(mine, began);
      await wait(Math.max(document.hidden ? AGAIN_MS : 0, LEAST_MS - (performance.now() - began)));
    }
  }

  async function once(mine, began) {
    let answer = {};
    try {
      const body = await frame();
      if (!body || mine !== run) return; // paused while the picture was being packed
      answer = await ask("frame", { body, signal: AbortSignal.timeout(PATIENCE_MS) }, query(began));
    } catch {
      if (mine !== run) return;
      failing = true;
      say("The computer that runs this page does not answer. Trying again …", true);
      return wait(AGAIN_MS);
    }
    if (mine !== run) return;
    if (answer.problem) return refused(mine, answer);
    if (failing) say(ON);
    failing = false;
    count(began, answer.timings);
    show(answer);
  }

  async function refused(mine, { kind, problem }) {
    if (kind === "ended") return renew(mine);
    failing = true;
    say(problem, true);
    if (kind === "frame") return wait(AGAIN_MS);
    become("paused");
  }

  // After a minute without frames the place is gone: another one, with what is known forgotten.
  async function renew(mine) {
    key = "";
    forget();
    const entered = await enter();
    if (mine !== run) return;
    if (entered) say("The live view goes on. Faces are counted anew, resting faces forgotten.");
    else become("paused");
  }

  function frame() {
    const still = window.mer.camera.still(SIDE);
    return still && new Promise((done) => still.toBlob(done, "image/jpeg", 0.8));
  }

  function query(time) {
    const [network, detector] = document.querySelectorAll("#settings input:checked");
    const asked = { time, rest: resting ? 1 : 0, insist: insisting ? 1 : 0,
      network: network.value, detector: detector.value };
    counting ||= insisting; // so that the answer to this frame is said
    resting = insisting = false;
    return `?${new URLSearchParams(asked)}`;
  }

  function count(began, { busy }) {
    const now = performance.now();
    answers.push({ at: now, took: now - began, busy });
    answers = answers.filter((one, i) => now - one.at <= LATE_MS || i >= answers.length - 2);
    if (answers.length < 2) return;
    const rate = (1000 * (answers.length - 1)) / (now - answers[0].at);
    const took = answers.map((one) => one.took).sort((a, b) => a - b)[answers.length >> 1];
    const waited = answers.filter((one) => one.busy).length > answers.length / 2;
    const frames = `${rate < 9.5 ? rate.toFixed(1) : Math.round(rate)} frames a second`;
    within(".rate").textContent =
      `${waited ? "Busy: " : ""}${frames}, answered after ${Math.round(took)} ms`;
  }

  function show({ size, people }) {
    window.mer.record.add(performance.now(), people);
    window.mer.boxes(film(), size[0], people, known);
    const now = performance.now();
    for (const person of people) panel(person).show(person, now);
    for (const [number, one] of panels) {
      if (one.seen < now) one.away();
      if (now - one.seen > GONE_MS) {
        one.element.remove();
        panels.delete(number);
      }
    }
    countdown(people);
    speak(people, now);
    if (people.length) emptied = 0;
    emptied ||= people.length ? 0 : now;
    const said = within(".said").textContent;
    if (people.length && said === NOBODY) say(ON);
    if (!people.length && now - emptied > EMPTY_MS && said !== NOBODY) say(NOBODY);
  }

  function countdown(people) {
    const left = people.map((one) => one.resting_ms).filter((ms) => ms !== null);
    find("#camera .count").textContent = left.length ? Math.ceil(Math.max(...left) / 1000) : "";
    if (!people.length) return; // they may come back
    if (counting && !left.length) rested(people);
    counting = left.length > 0;
  }

  function rested(people) {
    const refused = people.find((one) => one.refused);
    const known = people.some((one) => one.change);
    within(".insist").hidden = !refused;
    if (refused) {
      say(`Face ${refused.number} ${refused.refused} in those seconds: that is no resting face. ` +
        "Look neutral, keep still and press My resting face again.", true);
    } else {
      say(known ? "Changes are now shown against the resting face."
        : "No face was seen for long enough. Press My resting face again.", !known);
    }
  }

  function panel({ number }) {
    if (!panels.has(number)) {
      const made = window.mer.panel(number, known);
      const after = [...panels.keys()].filter((other) => other < number).length;
      const place = find("#people-live .people");
      place.insertBefore(made.element, place.children[after] || null);
      panels.set(number, made);
    }
    return panels.get(number);
  }

  // Calm: at most one sentence in five seconds, and only where it differs from the last.
  function speak(people, now) {
    const text = people.map(({ number, emotion, sure }) =>
      `Face ${number}: ${sure ? emotion : "unsure"}`).join(", ");
    if (text === spoken.text || now - spoken.at < SPOKEN_MS) return;
    spoken = { at: now, text };
    within(".heard").textContent = text;
  }

  function clear() {
    const canvas = find("#camera canvas");
    canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    within(".rate").textContent = find("#camera .count").textContent = "";
    answers = [];
    counting = resting = insisting = false;
    within(".insist").hidden = true;
  }

  function forget() {
    panels.forEach((one) => one.element.remove());
    panels.clear();
    within(".heard").textContent = "";
  }

  function rest() {
    resting = true;
    within(".insist").hidden = true;
    say("Look into the camera with a resting face for three seconds.");
  }

  async function send() {
    const file = await window.mer.tape.cut();
    if (!file) return say("There is no recording yet. Try again in a few seconds.", true);
    await window.mer.toVideo(file);
  }

  function insist() {
    insisting = true;
    within(".insist").hidden = true;
  }

  const turn = () => window.mer.camera.turn();
  const record = () => window.mer.record.toggle(within(".record"), known);
  const ACTS = { go, end, turn, rest, insist, record, send };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#live button");
    ACTS[button?.className]?.();
  });
  document.addEventListener("camera-on", begin);
  document.addEventListener("camera-off", end);
  window.addEventListener("pagehide", leave);
})();
