// The keyboard, names and the address, where Gradio leaves them out: charts say what they show, choices are groups with a name, arrows
// move along tabs, the address names the tab, and Back goes back to it.
(() => {
  "use strict";
  let groups = 0;

  function describe() {
    for (const chart of document.querySelectorAll(".js-plotly-plot:not([role])")) {
      if (!chart.layout?.meta) continue;
      chart.setAttribute("role", "img");
      chart.setAttribute("aria-label", chart.layout.meta.alt);
    }
  }

  // Gradio names each radio button apart, so that arrows go nowhere and each takes a Tab of its own.
  function group() {
    for (const radio of document.querySelectorAll("fieldset input[name^='radio-']")) {
      const set = radio.closest("fieldset");
      set.dataset.group ||= `choice-${(groups += 1)}`;
      set.setAttribute("role", "radiogroup");
      set.setAttribute("aria-label", set.querySelector("[data-testid=block-info]").textContent);
      radio.name = set.dataset.group;
    }
  }

  new MutationObserver(() => (group(), describe())).observe(document.documentElement, { childList: true, subtree: true });

  const tabs = () => [...document.querySelectorAll("[role=tab]")];
  const named = (tab) => tab?.textContent.trim().toLowerCase();
  const asked = () => new URLSearchParams(location.search).get("tab");
  const opened = () => tabs().find((tab) => tab.getAttribute("aria-selected") === "true");

  function open(name) {
    const wanted = tabs().find((tab) => named(tab) === name);
    if (wanted && wanted !== opened()) wanted.click();
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='?tab=']");
    const tab = event.target.closest?.("[role=tab]");
    const name = link ? new URLSearchParams(link.search).get("tab") : named(tab);
    if (!name) return;
    document.documentElement.dataset.tab = name; // for the style sheet
    if (link) event.preventDefault();
    if (link) open(name);
    if (name === (asked() || named(tabs()[0]))) return;
    const query = new URLSearchParams(location.search);
    query.set("tab", name);
    history.pushState(null, "", `?${query}`);
  });
  document.addEventListener("click", (event) => {
    const fold = event.target.closest?.("#fold button");
    if (!fold) return;
    const open = document.querySelector("#settings").classList.toggle("open");
    fold.setAttribute("aria-expanded", open);
  });
  window.addEventListener("popstate", () => open(asked() || named(tabs()[0])));
  window.mer.mounted("[role=tab]").then(() => requestAnimationFrame(() => open(asked())));

  document.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const tab = event.target.closest?.("[role=tab]");
    if (!step || !tab) return;
    const all = tabs();
    all.at((all.indexOf(tab) + step) % all.length).focus();
  });
})();
