// @ts-check
// Large files by their hashed names. The Cache API hands 20 MB over in 20 ms, unpacked; the HTTP
// cache takes ten times as long. Where there is no Cache API, the HTTP cache serves.

const NAME = "python";
const LARGE = 5_000_000; // bytes; such a file has a packed one beside it
// Held from the start: worker.js lends Pyodide another `fetch` while these downloads are under way.
const fetch = globalThis.fetch.bind(globalThis);
/** @type {Map<string, {bytes: ArrayBuffer, type: string}>} */
const fetched = new Map();

async function open() {
  return globalThis.caches ? await caches.open(NAME).catch(() => undefined) : undefined;
}

/**
 * The bytes of a file, from the store or else the network. Rejects when neither has it.
 * @param {string} url
 */
export async function load(url) {
  const kept = await (await open())?.match(url);
  if (kept) return kept.arrayBuffer();
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const bytes = await (await packed(response)).arrayBuffer();
  fetched.set(url, { bytes, type: response.headers.get("content-type") ?? "" });
  return bytes;
}

/**
 * The same response, or a third of its bytes: some hosts send a large file as it is, GitHub Pages
 * among them. We leave it then and unpack the one beside it.
 * @param {Response} whole
 */
async function packed(whole) {
  const isPacked = whole.headers.has("content-encoding");
  if (isPacked || !(Number(whole.headers.get("content-length")) > LARGE)) return whole;
  await whole.body?.cancel();
  const { ok, headers, body } = await fetch(`${whole.url}.gz`);
  if (!ok || !body) return fetch(whole.url);
  // A host may also know the ending, and let the browser unpack it.
  return new Response(
    headers.has("content-encoding") ? body : body.pipeThrough(new DecompressionStream("gzip")),
  );
}

/**
 * Keep what was loaded, once nobody waits for it, and drop files of earlier builds. With the scripts
 * beside it, for the service worker to find when there is no network.
 * @param {import("./worker.js").Files} files
 */
export async function store(files) {
  const cache = await open();
  if (!cache) return;
  const names = [files.pyodide, files.snapshot, files.sources];
  const scripts = ["pyodide.mjs", "pyodide.asm.mjs"].map((name) => files.pyodide + name);
  try {
    const kept = (await cache.keys()).map((request) => request.url);
    for (const url of kept) {
      if (!names.some((name) => url.startsWith(name))) await cache.delete(url);
    }
    for (const url of scripts) if (!kept.includes(url)) await cache.add(url);
    // As we hold them: a private window's HTTP cache takes no file of this size.
    for (const [url, { bytes, type }] of fetched) {
      await cache.put(url, new Response(new Blob([bytes], { type })));
    }
  } catch (error) {
    // A full disk or a private window: the next visit downloads again.
    console.info("Python's files could not be kept.", error);
  }
  fetched.clear();
}
