// One selected face a tab: its box, its row or its small picture selects it; its figures are shown.
(() => {
  "use strict";
  const view = () => [...document.querySelectorAll(".faces")].find((one) => one.offsetParent);

  function choose(place, { picture, face }) {
    for (const shot of place.querySelectorAll(".shot")) {
      shot.classList.toggle("chosen", shot.dataset.picture === picture);
    }
    for (const one of place.querySelectorAll("[data-face]")) {
      const mine = one.dataset.face === face;
      if (one.matches(".box")) one.setAttribute("aria-pressed", mine);
      if (one.matches("section")) one.hidden = !mine;
      if (one.matches("tr")) one.toggleAttribute("aria-current", mine);
    }
    if (face !== undefined && document.querySelector("#why .open")) window.mer.press("#explain");
  }

  document.addEventListener("click", (event) => {
    const place = event.target.closest?.(".faces");
    const picked = event.target.closest?.(".faces :is(.shot, .sortable tbody tr)");
    if (!place || !picked) return;
    const { picture } = picked.dataset;
    if (!picture) return; // it could not be read
    const box = event.target.closest("[data-face]") ||
      (picked.classList.contains("chosen") ? null : picked.querySelector("[data-face]"));
    if (box || !picked.classList.contains("chosen")) choose(place, { picture, face: box?.dataset.face });
  });

  // The index of the selected face, which the server's answer counts the same way.
  const face = () => Number(view()?.querySelector("[aria-pressed=true]")?.dataset.face || 0);

  // A table sorts by the column whose head is pressed, the other way round the second time.
  function sort(button) {
    const head = button.closest("th");
    const down = head.getAttribute("aria-sort") === "ascending";
    head.parentElement.querySelectorAll("th").forEach((one) => one.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (row) => row.cells[head.cellIndex].dataset.value;
    const apart = (a, b) => (Number.isNaN(a - b) ? a.localeCompare(b) : a - b);
    const compare = (a, b) => apart(value(a), value(b));
    const body = head.closest("table").tBodies[0];
    body.append(...[...body.rows].sort((a, b) => (down ? compare(b, a) : compare(a, b))));
  }

  document.addEventListener("click", (event) => {
    const sorter = event.target.closest?.(".sortable thead button");
    if (sorter) sort(sorter);
    const press = event.target.closest?.("[data-press]"); // a button of Gradio's, elsewhere
    if (!press) return;
    if (press.matches(".save")) press.setAttribute("aria-busy", "true"); // until it is saved
    window.mer.press(press.dataset.press);
  });

  Object.assign(window.mer, { face });
})();
