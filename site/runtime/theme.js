// @ts-check
// Brings Material's own script: search, drawer, instant navigation. They are furniture: on a slow
// machine they would keep busy the cores on which Python boots, so they come after it.

const LATEST = 2000; // ms to wait for Python; a first visit may have to download it
const TOUCHES = ["pointerdown", "keydown", "touchstart"];

/**
 * Resolves once the theme is there. An embed has none.
 * @param {Promise<unknown> | undefined} python settles when Python has started; where there is none
 *   to wait for, the theme comes at once
 */
export async function bringTheme(python) {
  const inert = /** @type {HTMLScriptElement | null} */ (
    document.querySelector("script[data-theme]")
  );
  if (!inert) return;
  if (python) await Promise.race([python, touched(), pause(LATEST)]);
  const script = document.createElement("script");
  script.src = inert.src;
  const loaded = new Promise((done, fail) =>
    Object.assign(script, { onload: done, onerror: fail }),
  );
  inert.replaceWith(script);
  await loaded;
}

const pause = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));

/** The visitor has begun to do something. */
const touched = () =>
  new Promise((done) => {
    for (const touch of TOUCHES) addEventListener(touch, done, { once: true, passive: true });
  });
