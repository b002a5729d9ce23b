// The camera, the Space key and pasting: what Gradio leaves to the browser.
(() => {
  "use strict";
  let stream = null;
  let lastFrame = "";

  const find = (selector) => document.querySelector(selector);
  const shown = (element) => element !== null && element.offsetParent !== null;
  const video = () => find("#camera video");

  const TROUBLE = {
    NotAllowedError:
      "The browser did not allow the camera. Press the camera sign beside the address, " +
      "allow it for this page, and start again.",
    NotFoundError:
      "No camera was found. Plug one in and start again, or use the Upload tab.",
    NotReadableError:
      "The camera is in use by another program. Close that one and start again.",
  };
  const INSECURE =
    "Browsers give the camera only to pages on this computer (localhost) or over https. " +
    "Use the Upload tab, or open the page in one of those ways.";

  function tell(sentence) {
    find("#camera .trouble").textContent = sentence;
  }

  async function start() {
    tell("");
    if (!navigator.mediaDevices) return tell(INSECURE);
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: "user" },
      });
    } catch (error) {
      return tell(TROUBLE[error.name] || `The camera did not start (${error.name}). Try again.`);
    }
    stream.getVideoTracks()[0].addEventListener("ended", () => {
      stop();
      tell("The camera was unplugged or switched off. Start it again.");
    });
    video().srcObject = stream;
    find("#camera .camera").classList.add("live");
    await video().play();
    find("#capture").focus();
  }

  function stop() {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    find("#camera .camera").classList.remove("live");
  }

  // A frame as the camera saw it, not mirrored; "" where there is no camera.
  async function capture() {
    if (!stream) await start();
    if (!stream) return "";
    const canvas = document.createElement("canvas");
    canvas.width = video().videoWidth;
    canvas.height = video().videoHeight;
    canvas.getContext("2d").drawImage(video(), 0, 0);
    lastFrame = canvas.toDataURL("image/jpeg", 0.92);
    return lastFrame;
  }

  // On a phone the answer may lie below the screen; elsewhere this moves nothing.
  function reveal(selector) {
    find(selector)?.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  window.mer = { capture, last: () => lastFrame, reveal };

  document.addEventListener("click", (event) => {
    if (event.target.closest("#camera .start")) start();
    if (event.target.closest("#camera .stop")) stop();
  });

  // Space captures, unless it has a meaning of its own where the focus is.
  document.addEventListener("keydown", (event) => {
    if (event.code !== "Space" || event.ctrlKey || event.altKey || event.metaKey) return;
    const own = "input:not([type=radio]:checked), textarea, select, summary, [contenteditable=true],"
      + " a, button:not([role=tab]), [role=listbox]";
    if (!shown(find("#camera .camera")) || event.target.closest?.(own)) return;
    event.preventDefault();
    if (!event.repeat) find("#capture").click();
  });

  // A pasted picture goes the way of a chosen one, and joins those that are there.
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files || [])];
    if (!files.length || !shown(find("#files"))) return;
    event.preventDefault();
    const input = find("#files input[type=file]");
    const box = new DataTransfer();
    files.forEach((file) => box.items.add(file));
    input.files = box.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // The camera goes out when its tab is left: nobody is filmed by a page they no longer see.
  new MutationObserver((_, observer) => {
    const camera = find("#camera .camera");
    if (!camera) return;
    observer.disconnect();
    new ResizeObserver(() => stream && !shown(camera) && stop()).observe(camera);
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
