// What the live view says of people: a box over the camera's picture, a panel with the trail of the
// last seconds and seven rows for a legend.
(() => {
  "use strict";
  const HIGH = 120; // CSS pixels of the trail
  const GAP_MS = 2500; // longer without a look, and the line breaks
  const percent = (share) => (share && share < 0.005 ? "<1 %" : `${Math.round(100 * share)} %`);
  const points = (change) => {
    const whole = Math.round(100 * change);
    return whole ? `${whole < 0 ? "−" : "+"}${Math.abs(whole)}` : "0";
  };

  function made(name, ...children) {
    const [tag, ...classes] = name.split(".");
    const element = document.createElement(tag);
    element.classList.add(...classes);
    element.append(...children);
    return element;
  }

  function row(emotion, color) {
    const share = made("b");
    const bar = made("i");
    const change = made("span.change", bar);
    const by = made("span.by");
    const swatch = made("span.swatch");
    swatch.style.background = bar.style.background = color;
    const element = made("li", swatch, made("span.name", emotion), share, change, by);
    return { element, show: (now, apart) => {
      share.textContent = now === undefined ? "" : percent(now);
      const compared = apart !== undefined;
      change.classList.toggle("compared", compared);
      by.hidden = !compared;
      by.textContent = compared ? points(apart) : "";
      bar.style.width = `${compared ? 50 * Math.abs(apart) : 100 * (now || 0)}%`;
      bar.style.left = compared ? `${50 + Math.min(0, 50 * apart)}%` : 0;
    } };
  }

  const told = ({ emotion, certainty, sure }) =>
    `${sure ? "" : "unsure: "}${emotion} ${percent(certainty)}`;

  function sentence(person) {
    if (!person.emotion) return "is looked at …";
    if (person.sure) return `looks like ${told(person)}`;
    const reasons = person.concerns.join(" and ");
    return reasons ? `${told(person)}, for it is ${reasons}` : told(person);
  }

  function note({ resting_ms: left, change }) {
    if (left !== null) return `Resting face: ${Math.ceil(left / 1000)} …`;
    return change ? "Bars: percentage points against rest" : "";
  }

  // Lines over time, the newest look at the right edge; the likeliest class's is the thickest.
  function draw(canvas, { trail, emotion }, { colors, trail: length }) {
    const [width, ratio] = [canvas.clientWidth, window.devicePixelRatio || 1];
    canvas.width = Math.round(ratio * width);
    canvas.height = Math.round(ratio * HIGH);
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const x = (ms) => width * (1 - ms / length);
    const y = (share) => 3 + (HIGH - 6) * (1 - share);
    grid(pen, width, y, getComputedStyle(canvas).color);
    Object.keys(colors).forEach((name, index) => {
      pen.strokeStyle = colors[name];
      pen.lineWidth = name === emotion ? 3 : 1.5;
      pen.lineCap = pen.lineJoin = "round"; // a line to where it is makes a dot
      pen.beginPath();
      trail.ms.forEach((ms, i) => {
        const broken = i === 0 || trail.ms[i - 1] - ms > GAP_MS;
        const at = [x(ms), y(trail.probabilities[i][index])];
        if (broken) pen.moveTo(...at);
        pen.lineTo(...at);
      });
      pen.stroke();
    });
  }

  function grid(pen, width, y, color) {
    pen.strokeStyle = pen.fillStyle = color;
    pen.lineWidth = 1;
    pen.font = "11px system-ui, sans-serif";
    for (const share of [0, 0.5, 1]) {
      pen.globalAlpha = 0.25;
      pen.beginPath();
      pen.moveTo(0, Math.round(y(share)) + 0.5);
      pen.lineTo(width, Math.round(y(share)) + 0.5);
      pen.stroke();
      pen.globalAlpha = 0.7;
      if (share) pen.fillText(percent(share), 0, y(share) + 13);
    }
    pen.globalAlpha = 1;
  }

  const label = (person) =>
    person.emotion ? `${person.number} ${told(person)}` : `${person.number}`;

  // On the camera's own pixels, `wide` to where the boxes are given; the picture may be mirrored,
  // the writing is not.
  window.mer.boxes = (film, wide, people, { colors }) => {
    const canvas = film.parentElement.querySelector("canvas");
    canvas.width = film.videoWidth;
    canvas.height = film.videoHeight;
    const scale = canvas.width / wide;
    const mirrored = film.parentElement.classList.contains("mirrored");
    for (const person of people) {
      const [left, y, width, height] = person.box.map((edge) => scale * edge);
      const x = mirrored ? canvas.width - left - width : left;
      const color = person.sure ? colors[person.emotion] : null;
      window.mer.box(canvas.getContext("2d"), [x, y, width, height], color, label(person));
    }
  };

  // `known`: the colour of each class, in order, and the length of the trail in ms.
  window.mer.panel = (number, known) => {
    const rows = Object.entries(known.colors).map(([emotion, color]) => row(emotion, color));
    const [head, below] = [made("span"), made("p.note")];
    const canvas = made("canvas");
    canvas.setAttribute("role", "img");
    const seconds = Math.round(known.trail / 1000);
    canvas.setAttribute("aria-label", `Probabilities of face ${number}, the last ${seconds} s`);
    const scale = made("p.scale", made("span", `${seconds} s ago`), made("span", "now"));
    const list = made("ul", ...rows.map((one) => one.element));
    const chart = made("div.trail", canvas, scale);
    const element = made("section.person", made("h3", `Face ${number} `, head), chart, list, below);
    const panel = { element, seen: 0, show: (person, now) => {
      panel.seen = now;
      head.textContent = sentence(person);
      below.textContent = note(person);
      rows.forEach((one, i) => one.show(person.probabilities?.[i], person.change?.[i]));
      draw(canvas, person, known);
    }, away: () => (head.textContent = "is out of sight") };
    return panel;
  };
})();
