// The time axis that all charts of the Video tab share: one cursor, at the player's time, and one
// zoom; a press in a chart goes there or chooses the event that is marked there.
(() => {
  "use strict";
  const CLOSE = 18; // pixels between a click and the mark that it means
  const LEAST = 0.5; // seconds that a chart shows at least
  const STEP = 2; // by so much Zoom in and Zoom out change them
  const find = (selector) => document.querySelector(selector);
  const charts = () => [...document.querySelectorAll("#people .js-plotly-plot")]
    .filter((chart) => chart._fullLayout?.xaxis);
  const video = () => find("#player video");
  const now = () => video()?.currentTime || 0;
  let whole = [0, 1]; // seconds of the video that was analysed
  let view = whole; // and of them those that are shown

  function start([from, to]) {
    whole = view = [from / 1000, Math.max(to, from + 1000) / 1000];
    show(view);
  }

  function show([from, to]) {
    const length = Math.min(Math.max(to - from, LEAST), whole[1] - whole[0]);
    const first = Math.min(Math.max(from, whole[0]), whole[1] - length);
    view = [first, first + length];
    const all = length >= whole[1] - whole[0];
    find("#player .axis output").textContent = view.map((one) => one.toFixed(1)).join(" to ") + " s";
    find("#player [data-zoom=all]").disabled = find("#player [data-zoom=out]").disabled = all;
    find("#player [data-zoom=in]").disabled = length <= LEAST;
    at(now());
  }

  // By this factor, and what is at `middle` stays where it is.
  function zoom(factor, middle = now()) {
    show(view.map((edge) => middle + (edge - middle) / factor));
  }

  // The view follows the player, a screenful at a time.
  function at(seconds) {
    const length = view[1] - view[0];
    const outside = seconds < view[0] - 0.01 || seconds > view[1] + 0.01;
    const beyond = seconds < whole[0] || seconds > whole[1];
    if (outside && !beyond) return show([seconds - length / 10, seconds + (9 * length) / 10]);
    for (const chart of charts()) {
      align(chart);
      cursor(chart, seconds);
    }
  }

  // Gradio draws a chart anew, at its whole length, when lines or areas are chosen.
  function align(chart) {
    const [from, to] = chart._fullLayout.xaxis.range;
    if (Math.abs(from - view[0]) + Math.abs(to - view[1]) < 1e-6) return;
    window.Plotly.relayout(chart, { "xaxis.range": [...view] });
  }

  function cursor(chart, seconds) {
    const { xaxis, yaxis } = chart._fullLayout;
    let line = chart.querySelector(".cursor");
    if (!line) {
      line = document.createElement("div");
      line.className = "cursor";
      chart.append(line);
      chart.on("plotly_afterplot", () => at(now()));
    }
    const part = (seconds - view[0]) / (view[1] - view[0]);
    line.hidden = part < -0.01 || part > 1.01;
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

  // The chart under the pointer, where in it, and the second there; null beside its axes.
  function under(event) {
    const chart = event.target.closest?.("#people .js-plotly-plot");
    if (!chart?._fullLayout || event.target.closest(".legend")) return null;
    const { xaxis, yaxis } = chart._fullLayout;
    const frame = chart.getBoundingClientRect();
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    const along = (x - xaxis._offset) / xaxis._length;
    const inside = y >= yaxis._offset && y <= yaxis._offset + yaxis._length;
    const seconds = view[0] + along * (view[1] - view[0]);
    return { chart, x, y, seconds: along >= 0 && along <= 1 && inside ? seconds : null };
  }

  function seek(seconds) {
    if (seconds !== null && video()?.src) video().currentTime = seconds;
  }

  function click(event) {
    const button = event.target.closest?.("#player [data-zoom]");
    if (button?.dataset.zoom === "all") return show(whole);
    if (button) return zoom(button.dataset.zoom === "in" ? STEP : 1 / STEP);
    const place = under(event);
    if (!place) return;
    const near = mark(place.chart, place.x, place.y);
    if (near >= 0) window.mer.choose(near);
    else seek(place.seconds);
  }

  // With the mouse held down the video follows along the time axis.
  function scrub(event) {
    if (event.pointerType === "mouse" && event.buttons === 1) seek(under(event)?.seconds ?? null);
  }

  // Two fingers on a trackpad, or the wheel with Ctrl: browsers tell both alike.
  function wheel(event) {
    const place = event.ctrlKey ? under(event) : null;
    if (!place || place.seconds === null) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300), place.seconds);
  }

  document.addEventListener("click", click);
  document.addEventListener("pointermove", scrub);
  document.addEventListener("wheel", wheel, { passive: false });

  window.mer.timeline = { whole: start, at };
})();
