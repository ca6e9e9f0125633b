// @ts-check
// Brings Material's own script once somebody is there: search, drawer and instant navigation are
// furniture, and would keep busy the cores on which the page is drawn and Python boots.

const LATEST = 2000; // ms to wait for Python then; a first visit may have to download it
const SIGNS = ["pointermove", "pointerdown", "touchstart", "keydown", "focusin", "wheel"];

/**
 * Resolves once the theme is there. An embed has none.
 * @param {Promise<unknown> | undefined} python settles when Python has started, if this page has one
 */
export async function bringTheme(python) {
  const inert = /** @type {HTMLScriptElement | null} */ (
    document.querySelector("script[data-theme]")
  );
  if (!inert) return;
  await somebody();
  if (python) await Promise.race([python, new Promise((done) => setTimeout(done, LATEST))]);
  const script = document.createElement("script");
  script.src = inert.src;
  const loaded = new Promise((done, fail) =>
    Object.assign(script, { onload: done, onerror: fail }),
  );
  inert.replaceWith(script);
  await loaded;
}

/** The visitor has begun to do something, or evening has come, which the theme follows. */
const somebody = () =>
  new Promise((done) => {
    for (const sign of SIGNS) addEventListener(sign, done, { once: true, passive: true });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", done, { once: true });
  });
