// @ts-check
// Offline after the first visit. Pages come from the network while there is one; whatever carries
// its hash in its name is taken from the cache. Nothing here names a build: names do.

/**
 * @typedef {Event & {request: Request, data: any, waitUntil(done: Promise<unknown>): void,
 *   respondWith(response: Promise<Response>): void}} WorkerEvent
 */
const worker = /** @type {any} */ (self);
const PAGES = "pages";
const ASSETS = "assets";
const HASHED = /[/.-][0-9a-f]{8,64}[/.]/;
// Python's large files have a keeper of their own, runtime/store.js; twice would be 30 MB.
const KEPT_ELSEWHERE = /\/assets\/python\/(snapshot|sources)|\.wasm(\.gz)?$/;
const BUILD = /\/assets\/[0-9a-f]{12}\//;

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("activate", (/** @type {WorkerEvent} */ event) =>
  event.waitUntil(worker.clients.claim()),
);

// The page that registered us was loaded before we were here: it says what it used.
worker.addEventListener("message", (/** @type {WorkerEvent} */ event) => {
  const { urls } = event.data ?? {};
  if (!Array.isArray(urls)) return;
  event.waitUntil(
    Promise.all(
      urls
        .filter(
          (/** @type {string} */ url) =>
            new URL(url).origin === location.origin && !KEPT_ELSEWHERE.test(url),
        )
        .map((/** @type {string} */ url) =>
          (HASHED.test(url) ? fromCache(url) : fromNetwork(url)).catch(() => {}),
        ),
    ),
  );
});

worker.addEventListener("fetch", (/** @type {WorkerEvent} */ event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.cache === "only-if-cached" && request.mode !== "same-origin") return;
  event.respondWith(HASHED.test(url.pathname) ? fromCache(request) : fromNetwork(request));
});

/** @param {RequestInfo} request */
async function fromCache(request) {
  const kept = await caches.match(request, { ignoreVary: true });
  if (kept) return kept;
  const response = await fetch(request);
  const url = response.url;
  if (response.ok && !KEPT_ELSEWHERE.test(url)) {
    await keep(ASSETS, url, response.clone());
  }
  return response;
}

/** @param {RequestInfo} request */
async function fromNetwork(request) {
  // A page is one page, whatever was asked of it: its query is for its script.
  const address = new URL(typeof request === "string" ? request : request.url);
  const name = address.origin + address.pathname;
  try {
    const response = await fetch(request);
    if (response.ok && !response.redirected) await keep(PAGES, name, response.clone());
    return response;
  } catch (error) {
    const kept = await caches.match(name, { ignoreVary: true });
    if (kept) return kept;
    throw error;
  }
}

/**
 * @param {string} cache
 * @param {string} url
 * @param {Response} response
 */
async function keep(cache, url, response) {
  try {
    const store = await caches.open(cache);
    await store.put(url, response);
    const build = url.match(BUILD)?.[0];
    if (!build) return;
    for (const { url: old } of await store.keys()) {
      if (BUILD.test(old) && !old.includes(build)) await store.delete(old);
    }
  } catch (error) {
    console.info("Not kept for offline use:", url, error);
  }
}
