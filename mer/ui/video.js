// The Video tab: boxes over the video, a cursor in its charts, and the choice of an event.
(() => {
  "use strict";
  const CLOSE = 18; // pixels between a click and the mark that it means
  const find = (selector) => document.querySelector(selector);
  const charts = () => [...document.querySelectorAll("#people .js-plotly-plot")];
  let source = null; // the video's object URL
  let chosen = -1;

  const player = () => find("#player .player");
  const video = () => find("#player video");

  // While the analysis ran the button was disabled, and lost the focus.
  function refocus() {
    if (document.activeElement === document.body) find("#analyse").focus({ preventScroll: true });
  }

  // The whole file is fetched: it can be played on and searched after the server deleted it.
  async function load() {
    const box = player();
    refocus();
    if (source) URL.revokeObjectURL(source);
    source = null;
    if (!box) return;
    box.known = JSON.parse(box.dataset.people);
    if (box.dataset.kind === "turned") {
      tell(box, "The video was not filmed upright: an upright copy is being made …");
      return find("#copier").click();
    }
    const film = video();
    film.addEventListener("loadedmetadata", () => measure(film), { once: true });
    film.addEventListener("error", () => unplayable(box), { once: true });
    film.addEventListener("play", follow);
    for (const name of ["seeked", "timeupdate", "loadeddata"]) film.addEventListener(name, draw);
    try {
      const answer = await fetch(box.dataset.file);
      if (!answer.ok) throw new Error(answer.statusText);
      source = URL.createObjectURL(await answer.blob());
      film.src = source;
    } catch {
      tell(box, "The video could not be fetched for playing. The charts below hold all the same.");
    }
  }

  // Recordings come without a length; the browser learns it by looking for the end.
  function measure(film) {
    if (Number.isFinite(film.duration)) return;
    film.addEventListener("seeked", () => (film.currentTime = 0), { once: true });
    film.currentTime = 1e6;
  }

  function tell(box, sentence) {
    box.querySelector(".trouble").textContent = sentence;
  }

  function unplayable(box) {
    if (!source) return;
    if (box.dataset.kind === "copy") {
      return tell(box, "This browser cannot play the video. The charts below hold all the same.");
    }
    tell(box, "This browser cannot play the video as it is: a copy is being made …");
    find("#copier").click();
  }

  function follow() {
    draw();
    if (video() && !video().paused) requestAnimationFrame(follow);
  }

  function draw() {
    if (!player()?.known) return;
    const ms = 1000 * video().currentTime;
    boxes(ms);
    measures(ms);
    charts().forEach((chart) => cursor(chart, ms / 1000));
  }

  function boxes(ms) {
    const { colors, names, people } = player().known;
    const canvas = find("#player canvas");
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, canvas.width, canvas.height);
    for (const person of people) {
      const place = at(person, ms);
      if (!place) continue;
      const look = person.looks[place.index];
      const sure = person.sure[place.index] && colors[look];
      const unsure = !sure && colors[look] ? "unsure: " : ""; // nothing is said of a covered face
      const text = `${person.number} ${unsure}${names[look] || ""}`;
      window.mer.box(pen, place.box, sure ? colors[look] : null, text);
    }
  }

  // What was measured last of each person in sight.
  function measures(ms) {
    const place = find("#player .measured");
    const known = player().known.people.filter((person) => person.measured.length && at(person, ms));
    const shown = known.map((person) => {
      const last = person.measured.findLast(([time]) => time <= ms + 1) || person.measured[0];
      return { number: person.number, lines: last[1] };
    });
    const key = JSON.stringify(shown);
    if (place.dataset.key === key) return;
    place.dataset.key = key;
    place.replaceChildren(...shown.filter(({ lines }) => lines.length).map(panel));
  }

  function panel({ number, lines }) {
    const table = document.createElement("table");
    table.createCaption().textContent = `Person ${number}`;
    for (const [name, value] of lines) {
      const row = table.insertRow();
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = name;
      row.append(head);
      row.insertCell().textContent = value;
    }
    return table;
  }

  // Where a person's box is, between the two times that are known; null where there is no face.
  function at(person, ms) {
    const { times, hold } = person;
    let low = -1;
    for (let high = times.length; high - low > 1; ) {
      const middle = (low + high) >> 1;
      if (times[middle] <= ms + 1) low = middle;
      else high = middle;
    }
    if (low < 0) return null;
    const first = person.boxes[low];
    const gap = times[low + 1] - times[low];
    if (!(gap <= hold)) return ms - times[low] <= hold ? { index: low, box: first } : null;
    const part = Math.min(1, Math.max(0, (ms - times[low]) / gap));
    const next = person.boxes[low + 1];
    return { index: low, box: first.map((edge, i) => edge + part * (next[i] - edge)) };
  }

  function cursor(chart, seconds) {
    const { xaxis, yaxis } = chart._fullLayout || {};
    if (!xaxis) return;
    let line = chart.querySelector(".cursor");
    if (!line) {
      line = document.createElement("div");
      line.className = "cursor";
      chart.append(line);
    }
    const [from, to] = xaxis.range;
    const part = Math.min(1, Math.max(0, (seconds - from) / (to - from)));
    line.style.left = `${xaxis._offset + part * xaxis._length}px`;
    line.style.top = `${yaxis._offset}px`;
    line.style.height = `${yaxis._length}px`;
  }

  // The mark that a click means, if one is near; its customdata is the event's index.
  function mark(chart, x, y) {
    const { xaxis, yaxis } = chart._fullLayout;
    let best = { distance: CLOSE, event: -1 };
    for (const trace of chart._fullData) {
      if (trace.mode !== "markers" || trace.visible !== true) continue;
      trace.customdata.forEach((event, i) => {
        const distance = Math.hypot(
          xaxis._offset + xaxis.l2p(trace.x[i]) - x, yaxis._offset + yaxis.l2p(trace.y[i]) - y);
        if (distance < best.distance) best = { distance, event };
      });
    }
    return best.event;
  }

  function click(chart, event) {
    const frame = chart.getBoundingClientRect();
    const { xaxis, yaxis } = chart._fullLayout;
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    const near = mark(chart, x, y);
    if (near >= 0) return choose(near);
    const along = (x - xaxis._offset) / xaxis._length;
    const inside = y >= yaxis._offset && y <= yaxis._offset + yaxis._length;
    if (along >= 0 && along <= 1 && inside) seek(moment(xaxis, along));
  }

  // With the mouse held down the video follows along the time axis.
  function scrub(event) {
    const chart = event.target.closest?.("#people .js-plotly-plot");
    if (!chart?._fullLayout || event.pointerType !== "mouse" || event.buttons !== 1) return;
    const { xaxis } = chart._fullLayout;
    const along = (event.clientX - chart.getBoundingClientRect().left - xaxis._offset) / xaxis._length;
    if (along >= 0 && along <= 1) seek(moment(xaxis, along));
  }

  const moment = ({ range: [from, to] }, along) => from + along * (to - from);

  function seek(seconds) {
    if (video()?.src) video().currentTime = seconds;
  }

  function choose(event) {
    chosen = event;
    const row = find(`#events tr[data-event="${event}"]`);
    document.querySelectorAll("#events tr[aria-current]").forEach((one) => {
      one.removeAttribute("aria-current");
    });
    row?.setAttribute("aria-current", "true");
    if (row) seek(Number(row.dataset.apex));
    find("#look-closer").click();
  }

  // What the server made is moved out of its component, which it then empties.
  function look() {
    const made = find("#made").querySelector(".look, .answer");
    if (!made) return;
    find("#look .here").replaceChildren(made.cloneNode(true));
    window.mer.reveal("#look");
  }

  const save = (place = "#made") => find(place).querySelector("a")?.click();

  document.addEventListener("click", (event) => {
    const chart = event.target.closest?.("#people .js-plotly-plot");
    if (chart?._fullLayout && !event.target.closest(".legend")) click(chart, event);
    const row = event.target.closest?.("#events tbody tr");
    if (row) choose(Number(row.dataset.event));
  });
  // The camera goes out when the tab is left, as on the Webcam tab.
  function leave(film) {
    const camera = film.querySelector("video")?.srcObject;
    if (film.offsetParent !== null || !camera) return;
    camera.getTracks().forEach((track) => track.stop());
    film.querySelector("button[aria-label='Upload file']")?.click();
  }
  new MutationObserver((_, observer) => {
    const film = find("#film");
    if (!film) return;
    observer.disconnect();
    new ResizeObserver(() => leave(film)).observe(film);
  }).observe(document.documentElement, { childList: true, subtree: true });

  document.addEventListener("pointermove", scrub);
  window.addEventListener("resize", () => requestAnimationFrame(draw));

  Object.assign(window.mer, { film: load, chosen: () => chosen, look, save });
})();
