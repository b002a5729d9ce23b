// The camera, the Space key and pasting: what Gradio leaves to the browser.
(() => {
  "use strict";
  let stream = null;
  let facing = "user"; // or "environment", on the back of a phone
  let lastFrame = "";

  const find = (selector) => document.querySelector(selector);
  const shown = (element) => element !== null && element.offsetParent !== null;
  const video = () => find("#camera video");

  // An element, as soon as Gradio has mounted it.
  function mounted(selector) {
    return new Promise((done) => {
      const look = () => find(selector) && (done(find(selector)), true);
      if (look()) return;
      new MutationObserver((_, observer) => look() && observer.disconnect())
        .observe(document.documentElement, { childList: true, subtree: true });
    });
  }
  const press = async (selector) => (await mounted(selector)).click();

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
    return false;
  }

  // Whether the camera is on then; if not, a sentence has said why.
  async function start() {
    tell("");
    if (stream) return true;
    if (!navigator.mediaDevices) return tell(INSECURE);
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: facing },
      });
    } catch (error) {
      return tell(TROUBLE[error.name] || `The camera did not start (${error.name}). Try again.`);
    }
    stream.getVideoTracks()[0].addEventListener("ended", () => {
      stop();
      tell("The camera was unplugged or switched off. Start it again.");
    });
    video().srcObject = stream;
    const { facingMode } = stream.getVideoTracks()[0].getSettings();
    find("#camera .camera").classList.toggle("mirrored", facingMode !== "environment");
    find("#camera .camera").classList.add("live");
    await video().play().catch(() => {}); // refused where it was switched off meanwhile
    if (stream) document.dispatchEvent(new Event("camera-on"));
    return stream !== null;
  }

  function stop() {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    video().srcObject = null;
    find("#camera .camera").classList.remove("live");
    document.dispatchEvent(new Event("camera-off"));
  }

  async function turn() {
    facing = facing === "user" ? "environment" : "user";
    stop();
    await start();
  }

  async function several() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter((one) => one.kind === "videoinput").length > 1;
  }

  // A canvas with what the camera sees, not mirrored, its long side at most this many pixels;
  // null before the first picture.
  function still(side = Infinity) {
    const { videoWidth, videoHeight } = video();
    if (!videoWidth) return null;
    const scale = Math.min(1, side / Math.max(videoWidth, videoHeight));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(scale * videoWidth);
    canvas.height = Math.round(scale * videoHeight);
    canvas.getContext("2d").drawImage(video(), 0, 0, canvas.width, canvas.height);
    return canvas;
  }

  // A frame as the camera saw it; "" where there is no camera.
  async function capture() {
    if (!(await start())) return "";
    lastFrame = still()?.toDataURL("image/jpeg", 0.92) || "";
    return lastFrame;
  }

  // On a phone the answer may lie below the screen; elsewhere this moves nothing.
  function reveal(selector) {
    find(selector)?.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  // A face's box, numbers as `strokeRect` takes them, between dark hairlines, and what is said of it.
  // Without a colour it is gray and dashed, as an unsure face's is everywhere.
  function box(pen, [x, y, width, height], color, text) {
    const dot = pen.canvas.width / (pen.canvas.clientWidth || pen.canvas.width); // a CSS pixel
    const line = 2 * dot;
    pen.lineWidth = line + 2;
    pen.strokeStyle = "#111";
    pen.strokeRect(x, y, width, height);
    pen.lineWidth = line;
    pen.strokeStyle = pen.fillStyle = color || "#aab2ba";
    pen.setLineDash(color ? [] : [8 * dot, 8 * dot]);
    pen.strokeRect(x, y, width, height);
    pen.setLineDash([]);
    const size = Math.round(13 * dot);
    pen.font = `${size}px system-ui, sans-serif`;
    const wide = pen.measureText(text).width + size;
    const left = Math.max(0, Math.min(x, pen.canvas.width - wide));
    const top = Math.max(0, y - 1.5 * size);
    pen.fillRect(left, top, wide, 1.5 * size);
    pen.fillStyle = "#111";
    pen.fillText(text, left + size / 2, top + 1.1 * size);
  }

  // Files into an input, as if they had been chosen.
  function put(input, files) {
    const box = new DataTransfer();
    files.forEach((file) => box.items.add(file));
    input.files = box.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  async function toUpload(files) {
    [...document.querySelectorAll("[role=tab]")].find((tab) => /Upload/.test(tab.textContent)).click();
    put(await mounted("#files input[type=file]"), files);
  }

  // A video among the pictures goes to the Video tab, pictures there go to Upload.
  function astray(event) {
    const here = event.target.closest?.("#files, #film");
    const files = [...(event.dataTransfer?.files || event.target.files || [])];
    const other = here?.id === "files" ? "video/" : "image/";
    if (!here || !files.length || !files.every((file) => file.type.startsWith(other))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (here.id === "files") window.mer.toVideo(files[0]);
    else toUpload(files);
  }
  for (const name of ["drop", "change"]) document.addEventListener(name, astray, true);

  const camera = { start, stop, still, turn, several };
  window.mer = { capture, last: () => lastFrame, reveal, camera, box, put, mounted, press };

  document.addEventListener("click", async (event) => {
    if (event.target.closest("#camera .start")) await start();
  });

  // Space captures, unless it has a meaning of its own where the focus is.
  document.addEventListener("keydown", (event) => {
    if (event.code !== "Space" || event.ctrlKey || event.altKey || event.metaKey) return;
    const own = "input:not([type=radio]:checked), textarea, select, summary, [contenteditable=true],"
      + " a, button:not([role=tab][aria-selected=true]), [role=listbox]";
    if (!shown(find("#camera .camera")) || event.target.closest?.(own)) return;
    event.preventDefault();
    if (!event.repeat) press("#capture");
  });

  // A pasted picture goes the way of a chosen one, and joins those that are there.
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files || [])];
    if (!files.length || !shown(find("#files"))) return;
    event.preventDefault();
    mounted("#files input[type=file]").then((input) => put(input, files));
  });

  // The camera goes out when its tab is left: nobody is filmed by a page they no longer see.
  mounted("#camera .camera").then((camera) => {
    new ResizeObserver(() => stream && !shown(camera) && stop()).observe(camera);
  });
})();
