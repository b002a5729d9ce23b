// The Video tab: boxes over the video, what was measured, and the choice of an event.
(() => {
  "use strict";
  const find = (selector) => document.querySelector(selector);
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
    box.querySelector(".axis").hidden = !box.known.people.length;
    window.mer.timeline.whole(box.known.span);
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
    window.mer.timeline.at(ms / 1000);
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

  function choose(event) {
    chosen = event;
    const row = find(`#events tr[data-event="${event}"]`);
    document.querySelectorAll("#events tr[aria-current]").forEach((one) => {
      one.removeAttribute("aria-current");
    });
    row?.setAttribute("aria-current", "true");
    if (row) video().currentTime = Number(row.dataset.apex);
    find("#look-closer").click();
  }

  // What the server made is moved out of its component, which it then empties.
  function look() {
    const made = find("#made").querySelector(".look, .answer");
    if (!made) return;
    find("#look .here").replaceChildren(made.cloneNode(true));
    window.mer.reveal("#look");
  }

  function save(place = "#made") {
    find(place).querySelector("a")?.click();
    document.querySelectorAll(".save[aria-busy]").forEach((one) => one.removeAttribute("aria-busy"));
  }

  document.addEventListener("click", (event) => {
    // On a phone the progress would lie below the screen.
    if (event.target.closest?.("#analyse")) window.mer.reveal("#video-answer");
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

  window.addEventListener("resize", () => requestAnimationFrame(draw));

  Object.assign(window.mer, { film: load, choose, chosen: () => chosen, look, save });
})();
