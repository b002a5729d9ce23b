// The keyboard, where Gradio leaves it out: choices are groups with a name, arrows move along tabs.
(() => {
  "use strict";
  let groups = 0;

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

  new MutationObserver(group).observe(document.documentElement, { childList: true, subtree: true });

  document.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const tab = event.target.closest?.("[role=tab]");
    if (!step || !tab) return;
    const tabs = [...tab.parentElement.querySelectorAll("[role=tab]")];
    tabs.at((tabs.indexOf(tab) + step) % tabs.length).focus();
  });
})();
