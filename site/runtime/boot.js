// @ts-check
// Connects the page with Python, first of all: it boots on another core while the page is drawn.
//
// One Python serves all our open pages, and outlives the last of them by some seconds: the next page
// finds it running. Its name is the list of its files, so that another build is another Python.

const SHARED = "SharedWorker" in globalThis;

/**
 * @param {boolean} [alone] a Python of this page's own, for where the shared one has failed
 * @returns {Worker | SharedWorker}
 */
export function connect(alone) {
  const { python: name = "" } = /** @type {HTMLElement} */ (named()).dataset;
  const url = new URL("worker.js", import.meta.url);
  const options = /** @type {const} */ ({ type: "module", name, extendedLifetime: true });
  return SHARED && !alone ? new SharedWorker(url, options) : new Worker(url, options);
}

const named = () => document.querySelector("script[data-python]");

// Who saves data gets Python at the first sign of intent, see page.js.
const saves = /** @type {any} */ (navigator).connection?.saveData;

/** What was begun here; python.js takes over. */
export const begun = named() && !saves ? connect() : undefined;
