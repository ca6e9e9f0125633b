// @ts-check
// Connects the page with Python, first of all: it boots on another core while the page is drawn. So
// this is written into the head of a page, and imported by python.js where the page is another.
//
// One Python serves all our open pages, and outlives the last of them by some seconds: the next page
// finds it running. Its name is the list of its files, so that another build is another Python.
/** @type {any} */ (globalThis).python ??= (() => {
  const named = () =>
    /** @type {HTMLElement | null} */ (document.querySelector("script[data-python]"));
  // Who saves data gets Python at the first sign of intent, see page.js.
  const saves = /** @type {any} */ (navigator).connection?.saveData;

  /**
   * @param {boolean} [alone] a Python of this page's own, for where the shared one has failed
   * @returns {Worker | SharedWorker}
   */
  function connect(alone) {
    const { worker = "", python: name = "" } = named()?.dataset ?? {};
    const url = new URL(worker, document.baseURI);
    const options = /** @type {const} */ ({ type: "module", name, extendedLifetime: true });
    return "SharedWorker" in globalThis && !alone
      ? new SharedWorker(url, options)
      : new Worker(url, options);
  }
  return { connect, begun: named() && !saves ? connect() : undefined };
})();
