// @ts-check
// Files dropped onto, or pasted into, a `[data-drop]` text area: their text becomes its value.
// Nothing is uploaded; the text goes where typing would have put it.
import { LONGEST_LINK } from "./form.js";

const LIMIT = 5_000_000; // bytes; a config.json has some kB, pasted scores some hundred

/** @param {HTMLFormElement} form */
export function takeDrops(form) {
  for (const area of form.querySelectorAll("textarea[data-drop]")) {
    takeLines(/** @type {HTMLTextAreaElement} */ (area));
  }
}

const native = /** @type {Required<PropertyDescriptor>} */ (
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value")
);

/**
 * Keep a long value of the area beside it: a browser takes a tenth of a second to store 100,000
 * lines in the element itself, even where they are not shown.
 * @param {HTMLTextAreaElement} area
 */
function keepLong(area) {
  let kept = "";
  Object.defineProperty(area, "value", {
    get: () => kept || native.get.call(area),
    set(/** @type {string} */ text) {
      const lines = text.replaceAll("\r\n", "\n").replaceAll("\r", "\n"); // as every area has them
      kept = lines.length > LONGEST_LINK ? lines : "";
      native.set.call(area, kept ? "" : lines);
    },
  });
}

/**
 * A browser needs seconds to lay out 100,000 lines: so many are kept unseen, and a chip that says
 * how many there are and clears them stands in the place of the area.
 * @param {HTMLTextAreaElement} area
 */
function takeLines(area) {
  keepLong(area);
  const chip = document.createElement("button");
  chip.type = "button";
  chip.className = "wb-chip";
  area.after(chip);

  const fold = () => {
    const text = area.value;
    const long = text.length > LONGEST_LINK;
    if (long && area.textLength) area.value = text; // typed so far, kept from now on
    const focused = document.activeElement === area;
    area.hidden = long;
    chip.hidden = !long;
    const [first] = text.slice(0, 40).split("\n", 1);
    chip.textContent = long ? `${count(text)} lines: ${first} …` : "";
    chip.setAttribute("aria-label", `${chip.textContent} ×`);
    if (long && focused) chip.focus();
  };
  const take = (/** @type {string} */ text) => {
    area.value = text;
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  chip.addEventListener("click", () => {
    take("");
    fold();
    area.focus();
  });
  area.addEventListener("input", () => setTimeout(fold)); // once the question is on its way
  area.addEventListener("sync", fold);
  area.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text") ?? "";
    if (text.length <= LONGEST_LINK) return;
    event.preventDefault();
    const { value, selectionStart, selectionEnd } = area;
    take(value.slice(0, selectionStart) + text + value.slice(selectionEnd));
  });
  for (const one of [area, chip]) catchFiles(one, take);
  fold();
}

/** @param {string} text */
function count(text) {
  let lines = text.endsWith("\n") ? 0 : 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return lines.toLocaleString("en");
}

/**
 * @param {HTMLElement} element
 * @param {(text: string) => void} take
 */
export function catchFiles(element, take) {
  element.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    element.dataset.over = "";
  });
  for (const end of ["dragleave", "drop"]) {
    element.addEventListener(end, () => delete element.dataset.over);
  }
  element.addEventListener("drop", (event) => accept(event, event.dataTransfer, take));
  element.addEventListener("paste", (event) => accept(event, event.clipboardData, take));
}

/**
 * @param {Event} event
 * @param {DataTransfer | null} data
 * @param {(text: string) => void} take
 */
async function accept(event, data, take) {
  const file = data?.files[0];
  if (!file || file.size > LIMIT) return;
  event.preventDefault();
  take(await file.text());
}
