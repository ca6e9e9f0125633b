// @ts-check
// Wires a page together: form -> query string -> Python -> result. One way, always.
import * as charts from "./chart.js";
import { joinFrame, leadOut } from "./embed-frame.js";
import { LONGEST_LINK, complain, read, settle, write } from "./form.js";
import { takeDrops } from "./drop.js";
import { wirePickers } from "./pick.js";
import { ask, settled, start } from "./python.js";
import { wireSharing } from "./share.js";
import { keepStatus } from "./status.js";
import { bringTheme } from "./theme.js";
import { wireTips } from "./tips.js";

const REST = 200; // ms without a keystroke before the address follows; browsers limit how often
const CALM = 2000; // ms in which a page comes to rest

/** @type {AbortController | undefined} ends what the last page listened to */
let last;
/** @type {string} */
let shown = "";

function open() {
  const form = /** @type {HTMLFormElement | null} */ (
    document.querySelector("form[data-calculator]")
  );
  const result = /** @type {HTMLElement | null} */ (document.querySelector("[data-result]"));
  // Material emits the same document again when only the address changed.
  if (last && form && form.hasAttribute("data-wired")) return;
  last?.abort();
  last = new AbortController();
  wireTips();
  wireSharing(last.signal, form);
  if (!form || !result) return;
  form.setAttribute("data-wired", "");
  shown = location.pathname;
  keepStatus();
  wirePickers(form);
  takeDrops(form);
  run(form, result, last.signal);
  joinFrame();
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement} result
 * @param {AbortSignal} signal
 */
function run(form, result, signal) {
  const slug = form.dataset.calculator ?? "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let resting;
  let query = ""; // the form, as it was asked about last
  const isLong = () => query.length > LONGEST_LINK;
  const address = () =>
    history.replaceState(history.state, "", isLong() ? location.pathname : `?${query}`);
  const question = () => {
    query = write(form);
    ask({ slug, query, done: (found) => show(form, result, found) });
  };
  const follow = () => {
    read(form, location.search);
    question();
  };

  form.addEventListener("submit", (event) => event.preventDefault(), { signal });
  form.addEventListener(
    "input",
    (event) => {
      settle(form, event.target);
      question();
      clearTimeout(resting);
      resting = setTimeout(address, REST);
    },
    { signal },
  );
  // Leaving, or copying the address, before the pause is over.
  const flush = () => {
    if (resting === undefined || signal.aborted) return;
    clearTimeout(resting);
    resting = undefined;
    query = write(form);
    address();
  };
  addEventListener("pagehide", flush, { signal });
  form.addEventListener("focusout", flush, { signal });
  addEventListener("popstate", () => location.pathname === shown && follow(), { signal });
  document.addEventListener(
    "click",
    (event) => {
      const link = /** @type {Element} */ (event.target).closest?.("a[data-example]");
      const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
      if (!link || !plain) return;
      event.preventDefault();
      event.stopPropagation(); // Material would fetch the page anew
      flush();
      history.pushState(null, "", /** @type {HTMLAnchorElement} */ (link).href);
      follow();
      address();
      form.scrollIntoView({ block: "nearest" });
    },
    { signal, capture: true },
  );

  read(form, location.search);
  if (location.search.length > 1) question();
  const begin = () => signal.aborted || start(slug);
  for (const intent of ["pointerdown", "focusin", "keydown"]) {
    form.addEventListener(intent, begin, { once: true, signal });
  }
  if (!(/** @type {any} */ (navigator).connection?.saveData)) {
    if ("requestIdleCallback" in globalThis) requestIdleCallback(begin, { timeout: CALM });
    else setTimeout(begin);
  }
}

/**
 * Show an answer. The visitor's mistake leaves the last good one standing, marked as such.
 * @param {HTMLFormElement} form
 * @param {HTMLElement} result
 * @param {import("./python.js").Answer} answer
 */
function show(form, result, answer) {
  complain(form, answer.errors, answer.offers);
  const refused = Object.keys(answer.errors).length > 0;
  result.toggleAttribute("data-stale", refused);
  if (!refused) {
    const putBack = [charts.keep(result), keepFolds(result)];
    result.innerHTML = answer.html;
    leadOut(result);
    for (const one of putBack) one();
    result.dataset.query = answer.query.slice(0, LONGEST_LINK);
    charts.draw(result, answer.charts);
    setTimeout(() => result.offsetHeight); // laid out by the time that a frame is due
  }
}

/**
 * What the visitor folded out stays open when the answer changes.
 * @param {HTMLElement} result
 */
function keepFolds(result) {
  const states = [...result.querySelectorAll("details")].map((one) => one.open);
  return () =>
    result.querySelectorAll("details").forEach((one, i) => (one.open = states[i] ?? one.open));
}

open();
bringTheme(document.querySelector("form[data-calculator]") ? settled : undefined).then(
  () => {
    // The theme says when it has put another page in place of this one.
    /** @type {any} */ (globalThis).document$?.subscribe(open);
  },
  () => console.info("Without its script the theme stands still."),
);

if ("serviceWorker" in navigator && isSecureContext && !document.querySelector("[data-embed]")) {
  // After Python's download: both at once would only be in each other's way.
  addEventListener("load", () => setTimeout(keepForOffline, CALM));
}

/** Register the service worker, and tell it what this page loaded before it was there. */
async function keepForOffline() {
  try {
    await navigator.serviceWorker.register(new URL("../../../sw.js", import.meta.url));
    const { active } = await navigator.serviceWorker.ready;
    const used = performance.getEntriesByType("resource").map((entry) => entry.name);
    const lists = [...document.querySelectorAll("[data-options]")].map(
      (field) =>
        new URL(/** @type {HTMLElement} */ (field).dataset.options ?? "", location.href).href,
    );
    active?.postMessage({ urls: [location.href, ...used, ...lists] });
  } catch (error) {
    console.info("No offline use here.", error);
  }
}
