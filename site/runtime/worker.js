// @ts-check
// The worker: boots Python at once, then answers questions. `calculators.answer` is its only door.
// Shared by pages, or one page's own; see boot.js.
//
// name {pyodide, snapshot, sources, lock}   what the build made: addresses below the site's root
// in   {slug}             a page wants to know when Python is live
//      {id, slug, query, shape}
// out  {ready, boot: "snapshot" | "plain"}   {id, answer}   {id?, failure}
import { EMPTY_ZIP, restoring } from "./memory.js";
import { load, store } from "./store.js";

const scope = /** @type {any} */ (globalThis);

/** @typedef {{pyodide: string, snapshot: string, sources: string, lock: any}} Files */

/**
 * Restore the memory in which everything has been imported and answered once. Everything it takes
 * is asked for at once, and compiled while the rest arrives.
 * @param {Files} files
 */
async function restore(files) {
  const wasm = files.pyodide + "pyodide.asm.wasm";
  const nothing = files.pyodide + "nothing.zip";
  const compiled = load(wasm).then((bytes) => WebAssembly.compile(bytes));
  const packed = load(files.snapshot);
  const script = import(files.pyodide + "pyodide.asm.mjs");
  // Pyodide waits for ever where its WebAssembly fails; whatever fails first ends the attempt.
  const broken = Promise.all([compiled, packed, script]).then(() => new Promise(() => {}));
  broken.catch(() => {});
  const { loadPyodide } = await import(files.pyodide + "pyodide.mjs");
  const { default: create } = await script;
  const giveBack = lend(wasm, nothing, compiled);
  try {
    const python = loadPyodide({
      ...restoring(create, packed),
      indexURL: files.pyodide,
      stdLibURL: nothing,
      lockFileContents: files.lock,
      packageBaseUrl: files.pyodide,
    });
    return await Promise.race([python, broken]);
  } finally {
    giveBack();
  }
}

/**
 * For the time of loading, let Pyodide find what we already have: it offers no way to hand over a
 * compiled module or a standard library. Its 260 functions of JavaScript each bring a tiny module,
 * of which most are alike: each kind is compiled once. Returns the way back.
 * @param {string} wasm
 * @param {string} stdlib
 * @param {Promise<WebAssembly.Module>} compiled
 */
function lend(wasm, stdlib, compiled) {
  const { fetch } = globalThis;
  const { instantiateStreaming, Module } = WebAssembly;
  /** @type {Map<string, WebAssembly.Module>} */
  const known = new Map();
  globalThis.fetch = async (what, options) => {
    if (String(what) === wasm) return new Response();
    if (String(what) === stdlib) return new Response(EMPTY_ZIP);
    return fetch(what, options);
  };
  WebAssembly.instantiateStreaming = async (_, imports) => {
    const module = await compiled;
    return { module, instance: await WebAssembly.instantiate(module, imports) };
  };
  WebAssembly.Module = new Proxy(Module, {
    construct(_, [bytes]) {
      const name = String(bytes);
      const module = known.get(name) ?? new Module(bytes);
      known.set(name, module);
      return module;
    },
  });
  return () => {
    globalThis.fetch = fetch;
    WebAssembly.Module = Module;
    WebAssembly.instantiateStreaming = instantiateStreaming;
  };
}

/**
 * Boot Python as it comes and unpack our sources: slower, but nothing can go stale.
 * @param {Files} files
 */
async function boot(files) {
  const { loadPyodide } = await import(files.pyodide + "pyodide.mjs");
  const [python, sources] = await Promise.all([
    loadPyodide({
      indexURL: files.pyodide,
      lockFileContents: files.lock,
      packageBaseUrl: files.pyodide,
    }),
    load(files.sources),
  ]);
  python.unpackArchive(sources, "zip", { extractDir: "/app" });
  python.runPython("import sys; sys.path.insert(0, '/app')");
  return python;
}

/** The files of this build, by absolute URLs. @returns {Files} */
function named() {
  const files = JSON.parse(scope.name);
  for (const one of ["pyodide", "snapshot", "sources"]) {
    files[one] = new URL(`../../../${files[one]}`, import.meta.url).href;
  }
  return files;
}

async function start() {
  const files = named();
  const { python, boot: way } = await restore(files).then(
    (python) => ({ python, boot: "snapshot" }),
    async (error) => {
      console.warn("The snapshot could not be restored; booting Python instead.", error);
      return { python: await boot(files), boot: "plain" };
    },
  );
  setTimeout(store, 0, files);
  const gc = python.pyimport("gc");
  gc.disable();
  const tidy = () => gc.collect();
  const { rehearsal } = python.pyimport("calculators");
  return { answer: answering(python), boot: way, tidy, rehearsal };
}

const LONG = 20_000; // characters

let room = new Uint8Array();

/**
 * A text as UTF-8, until the next one. `encodeInto` takes a third of the time of `encode`.
 * @param {string} text
 */
function encoded(text) {
  if (room.length < 3 * text.length) room = new Uint8Array(3 * text.length);
  return room.subarray(0, new TextEncoder().encodeInto(text, room).written);
}

/**
 * `calculators.answer`. Pyodide hands over a text character by character, but bytes at once: of
 * 100,000 pasted rows that is a tenth of the answer's time.
 * @param {any} python
 * @returns {(slug: string, query: string, shape: string) => string}
 */
function answering(python) {
  const { answer } = python.pyimport("calculators");
  const decoded = python.runPython("lambda f, a, data, b: f(a, data.to_bytes().decode(), b)");
  return (slug, query, shape) =>
    query.length > LONG ? decoded(answer, slug, encoded(query), shape) : answer(slug, query, shape);
}

const REST = 400; // ms without a question; garbage is collected then, not between two keystrokes
/** @type {ReturnType<typeof setTimeout> | undefined} */
let resting;

const REHEARSAL = 1000; // ms of work; the browser compiles better what has run before
/** @type {Set<string>} */
const rehearsed = new Set();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let rehearsing;

/**
 * Answer a calculator's examples to nobody, until somebody asks: the first answers of a fresh
 * WebAssembly take several times as long as later ones.
 * @param {string} slug
 * @param {(slug: string) => Iterator<string>} rehearsal
 */
function rehearse(slug, rehearsal) {
  if (rehearsed.has(slug)) return;
  rehearsed.add(slug);
  let spent = 0;
  let examples = rehearsal(slug);
  const one = () => {
    const start = performance.now();
    if (examples.next().done) examples = rehearsal(slug);
    spent += performance.now() - start;
    if (spent < REHEARSAL) rehearsing = setTimeout(one);
  };
  clearTimeout(rehearsing);
  rehearsing = setTimeout(one);
}

const started = start();
started.catch(() => {}); // told to whoever asks

/** @param {MessagePort} port to a page */
function serve(port) {
  port.onmessage = async (/** @type {MessageEvent} */ { data }) => {
    try {
      const { answer, boot, tidy, rehearsal } = await started;
      if (data.id === undefined) {
        port.postMessage({ ready: true, boot });
        return rehearse(data.slug, rehearsal);
      }
      clearTimeout(rehearsing);
      clearTimeout(resting);
      const said = answer(data.slug, data.query, data.shape);
      port.postMessage({ id: data.id, answer: said });
      resting = setTimeout(tidy, REST);
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      port.postMessage({ id: data.id, failure });
    }
  };
}

if ("onconnect" in scope) {
  scope.onconnect = (/** @type {MessageEvent} */ { ports: [port] }) => serve(port);
} else {
  serve(scope);
}
