// The answers of the live view as a CSV file: one row an answer and face, empty where there is none.
(() => {
  "use strict";
  const MOST = 200000; // rows, of some 100 bytes; four hours of one face
  let rows = null; // while it records
  let [began, frame, names] = [0, 0, []];

  function add(now, people) {
    if (!rows || rows.length >= MOST) return;
    const time = ((now - began) / 1000).toFixed(3);
    const seen = people.filter((one) => one.emotion);
    for (const { number, box, emotion, certainty, sure, probabilities } of seen) {
      rows.push([frame, time, number, ...box, emotion, certainty, sure, ...probabilities]);
    }
    if (!seen.length) rows.push([frame, time, ...Array(8 + names.length).fill("")]);
    frame += 1;
  }

  function save() {
    const head = ["frame", "time_s", "person", "x", "y", "width", "height", "emotion",
      "probability", "sure", ...names];
    const text = [head, ...rows].map((row) => `${row.join(",")}\n`).join("");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = `live-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  // The first press begins, the second one saves.
  function toggle(button, { colors }) {
    if (rows) {
      save();
      rows = null;
    } else {
      [rows, began, frame, names] = [[], performance.now(), 0, Object.keys(colors)];
    }
    button.setAttribute("aria-pressed", Boolean(rows));
    button.textContent = rows ? "Save the recording" : "Record to CSV";
  }

  window.mer.record = { add, toggle };
})();
