// @ts-check
// Inside an embed: tells the page around how tall we are, and takes its colour scheme from it.

/** Shapes of messages, both ways; site/embed.js speaks the same. */
const HEIGHT = "weighbridge:height";
const SCHEME = "weighbridge:scheme";

/** @param {string} scheme */
function adopt(scheme) {
  const page = document.documentElement;
  page.dataset.scheme = scheme;
  page.classList.toggle("wb-dark", scheme === "dark");
}

/**
 * Inside an embed links lead out of the frame, and to the site's page of that name instead of its
 * embed twin: Python answers as for the page, which stands one folder higher.
 * @param {ParentNode} within
 */
export function leadOut(within) {
  if (!document.querySelector("[data-embed]")) return;
  const twins = new URL("..", location.href).href;
  const home = new URL("..", twins);
  for (const link of within.querySelectorAll("a")) {
    if (link.href.startsWith(twins)) link.href = new URL(link.href.slice(twins.length), home).href;
    link.target = "_top";
  }
}

/** If this is an embed: follow the system's colours, until the page around says which are its. */
export function joinFrame() {
  if (!document.querySelector("[data-embed]")) return;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let told = false;
  const follow = () => told || adopt(dark.matches ? "dark" : "light");
  dark.addEventListener("change", follow);
  follow();
  leadOut(document);
  if (parent === window) return;
  addEventListener("message", ({ source, data }) => {
    if (source !== parent || data?.type !== SCHEME) return;
    if (data.scheme !== "light" && data.scheme !== "dark") return;
    told = true;
    for (const line of document.querySelectorAll(".wb-from")) {
      /** @type {HTMLElement} */ (line).hidden = true; // embed.js, which alone says so, links us
    }
    adopt(data.scheme);
  });
  // The height is no secret, and who embeds us is not known before it speaks.
  const report = () => {
    const height = Math.ceil(document.body.getBoundingClientRect().height);
    parent.postMessage({ type: HEIGHT, height }, "*");
  };
  new ResizeObserver(report).observe(document.body);
}
