// Where a browser denies its storage, as to a frame of another site, Gradio's reading of it would end
// the page's start: then what is kept lasts as long as the page.
(() => {
  "use strict";
  for (const name of ["localStorage", "sessionStorage"]) {
    try {
      window[name].getItem("");
    } catch {
      const kept = new Map();
      const value = {
        getItem: (key) => kept.get(key) ?? null,
        setItem: (key, text) => void kept.set(key, String(text)),
        removeItem: (key) => void kept.delete(key),
        clear: () => kept.clear(),
      };
      Object.defineProperty(window, name, { configurable: true, value });
    }
  }
})();
