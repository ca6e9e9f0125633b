// @ts-check
// The form and the query string are one state in two spellings: `write` and `read` are inverses.

/** Characters of a query that still makes a link: pasted data may be far longer than any server reads. */
export const LONGEST_LINK = 100_000;

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Control */

/**
 * The named controls, in field order.
 * @param {HTMLFormElement} form
 * @returns {Control[]}
 */
export function controls(form) {
  const named = /** @type {Control[]} */ ([...form.elements]);
  return named.filter((control) => control.name && !(control instanceof HTMLButtonElement));
}

/** @param {Control} control */
const isSwitch = (control) => control.type === "checkbox";

/** @param {Control} control */
export function value(control) {
  return isSwitch(control)
    ? String(/** @type {HTMLInputElement} */ (control).checked)
    : control.value;
}

/**
 * Set a control from outside of it; widgets on top of it hear of it as `sync`.
 * @param {Control} control
 * @param {string} text
 */
export function put(control, text) {
  if (value(control) === text) return;
  if (isSwitch(control)) /** @type {HTMLInputElement} */ (control).checked = text === "true";
  else control.value = text;
  control.dispatchEvent(new Event("sync"));
}

/**
 * The query string: every input, spelled out.
 * @param {HTMLFormElement} form
 */
export function write(form) {
  return controls(form)
    .map((one) => spell(one.name, value(one)))
    .join("&");
}

/**
 * Data that is too long for any link keeps its commas and line ends as they are: it goes to Python
 * alone, which need not read them out of three characters each.
 * @param {string} name
 * @param {string} text
 */
const spell = (name, text) =>
  text.length > LONGEST_LINK
    ? `${name}=${text.replace(/[%&+]/g, encodeURIComponent)}`
    : String(new URLSearchParams([[name, text]]));

/**
 * Fill the form: what the query says, then the defaults, except where a named field excludes them.
 * @param {HTMLFormElement} form
 * @param {string} query
 */
export function read(form, query) {
  const said = new URLSearchParams(query);
  const defaults = JSON.parse(form.dataset.defaults ?? "{}");
  const excluded = new Set(
    controls(form).flatMap((one) => (said.get(one.name) ? excludes(one) : [])),
  );
  for (const one of controls(form)) {
    put(one, said.get(one.name) ?? (excluded.has(one.name) ? "" : (defaults[one.name] ?? "")));
  }
}

/** @param {Control} control */
const excludes = (control) => control.dataset.excludes?.split(" ") ?? [];

/**
 * What the visitor fills empties the fields that it excludes.
 * @param {HTMLFormElement} form
 * @param {EventTarget | null} changed
 */
export function settle(form, changed) {
  const control = controls(form).find((one) => one === changed);
  if (!control || !value(control)) return;
  const emptied = excludes(control);
  for (const one of controls(form)) if (emptied.includes(one.name)) put(one, "");
}

/**
 * Say beside each field what is wrong with it, and offer what would help.
 * @param {HTMLFormElement} form
 * @param {Record<string, string>} errors by field
 * @param {Record<string, [string, string, string]>} offers by field: an input, its text, a label
 */
export function complain(form, errors, offers = {}) {
  for (const output of form.querySelectorAll("[data-error]")) {
    const name = /** @type {HTMLElement} */ (output).dataset.error ?? "";
    const message = errors[name] ?? "";
    const offer = offers[name];
    if (output.textContent !== message + (offer?.[2] ?? "")) {
      output.textContent = message;
      if (offer) output.append(taking(form, ...offer));
    }
    for (const one of controls(form).filter((control) => control.name === name)) {
      if (message) one.setAttribute("aria-invalid", "true");
      else one.removeAttribute("aria-invalid");
      const folded = message && one.closest("details");
      if (folded) folded.open = true;
    }
  }
}

/**
 * A button that sets one input, as if the visitor had.
 * @param {HTMLFormElement} form
 * @param {string} name
 * @param {string} text
 * @param {string} label
 */
function taking(form, name, text, label) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "wb-offer";
  button.textContent = label;
  button.addEventListener("click", () => {
    const control = controls(form).find((one) => one.name === name);
    if (!control) return;
    put(control, text);
    control.dispatchEvent(new Event("input", { bubbles: true }));
    control.focus();
  });
  return button;
}
