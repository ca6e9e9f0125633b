// @ts-check
// Asks Python and hands on its answers. One question is in flight and one waits: the newest.
import "./boot.js";

/**
 * @typedef {{slug: string, query: string, title?: string, html: string,
 *   errors: Record<string, string>, offers?: Record<string, [string, string, string]>,
 *   charts: Record<string, object>,
 *   outputs?: object, text?: string, markdown?: string}} Answer the last three of a whole one
 * @typedef {{slug: string, query: string, whole?: boolean, done: (answer: Answer) => void}} Question
 * @typedef {"idle" | "loading" | "ready" | "computing" | "failed"} State
 */

const BOOT_LIMIT = 60_000; // ms; a phone on a slow line takes long to start and yet succeeds
const ANSWER_LIMIT = 5_000; // ms; the slowest calculator needs a hundredth of it
const LONG = 20_000; // characters of pasted data that get as much time again
const ATTEMPTS = 2; // a question that kills two workers is not asked again

const { begun, connect } = /** @type {any} */ (globalThis).python;

/** @type {Worker | MessagePort | undefined} */
let worker;
let early = begun;
let asking = "";
let alone = false; // once the shared Python has failed us
let live = false;
/** @type {(Question & {id: number, attempts: number}) | undefined} */
let asked;
/** @type {Question | undefined} */
let waiting;
let count = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let limit;
/** @type {(state: State) => void} */
let tell = () => {};

/** @type {() => void} */
let settle;
/** Python has started, or has failed to. @type {Promise<void>} */
export const settled = new Promise((done) => (settle = done));

/** @param {(state: State) => void} listener hears of every change of state */
export function watch(listener) {
  tell = listener;
  tell(live ? (asked ? "computing" : "ready") : worker ? "loading" : "idle");
}

/**
 * Connect with a worker, unless we are; or take over what boot.js began.
 * @param {string} slug what will be asked about
 */
export function start(slug) {
  if (worker) return;
  asking = slug;
  tell("loading");
  const made = early ?? connect(alone);
  early = undefined;
  const port = "port" in made ? made.port : made;
  worker = port;
  const lost = (/** @type {string} */ reason) => worker === port && fail(reason);
  port.onmessage = hear;
  made.onerror = (/** @type {Event} */ event) => {
    event.preventDefault();
    lost(/** @type {any} */ (event).message || "the worker could not be loaded");
  };
  port.addEventListener("close", () => lost("the worker is gone"));
  wait(BOOT_LIMIT);
  port.postMessage({ slug });
}

/**
 * Ask for an answer. `done` hears of it, unless a newer question comes before this one is asked.
 * @param {Question} question
 */
export function ask(question) {
  const before = waiting;
  waiting = question;
  if (before && same(before, question)) {
    waiting = { ...question, whole: question.whole || before.whole };
    waiting.done = (answer) => [before, question].forEach((one) => one.done(answer));
  }
  start(question.slug);
  if (live && !asked) next();
}

/** @param {Question} one @param {Question} other */
const same = (one, other) => one.slug === other.slug && one.query === other.query;

/** Leave the worker; the next question, or `start`, makes one that is ours alone. */
export function stop() {
  if (worker && "terminate" in worker) worker.terminate();
  else worker?.close();
  worker = undefined;
  alone = true;
  live = false;
  clearTimeout(limit);
}

/** After a failure: begin anew, with the question that had been asked last. */
export function retry() {
  stop();
  if (asked) waiting ??= asked;
  asked = undefined;
  start(asking);
}

function next() {
  if (!waiting) return tell("ready");
  asked = { ...waiting, id: ++count, attempts: 0 };
  waiting = undefined;
  post(asked);
}

/** @param {NonNullable<typeof asked>} question */
function post(question) {
  question.attempts++;
  tell("computing");
  wait(ANSWER_LIMIT * (1 + question.query.length / LONG));
  const shape = question.whole ? "whole" : "page";
  worker?.postMessage({ id: question.id, slug: question.slug, query: question.query, shape });
}

/** @param {MessageEvent} event */
function hear({ data }) {
  if (data.failure !== undefined) return fail(data.failure, data.id);
  clearTimeout(limit);
  if (data.ready) {
    live = true;
    document.documentElement.dataset.boot = data.boot;
    settle();
    return asked ? post(asked) : next();
  }
  if (data.id !== asked?.id) return;
  const question = /** @type {Question} */ (asked);
  asked = undefined;
  // A newer question makes this answer stale.
  const { query } = question;
  if (!waiting || same(waiting, question)) question.done({ ...JSON.parse(data.answer), query });
  next();
}

/**
 * A bug in Python leaves the worker fit for the next question; anything else replaces it.
 * @param {string} reason
 * @param {number} [id] of the question that raised
 */
function fail(reason, id) {
  console.error(`Python failed: ${reason}`);
  settle();
  clearTimeout(limit);
  if (id !== undefined) {
    asked = undefined;
    tell("failed");
    if (waiting) next();
    return;
  }
  const wasLive = live;
  stop();
  if (asked && (waiting || asked.attempts >= ATTEMPTS)) asked = undefined;
  if (wasLive && (waiting || asked)) start(asking);
  else tell("failed");
}

/** @param {number} ms */
function wait(ms) {
  clearTimeout(limit);
  limit = setTimeout(() => fail(`no word from the worker for ${ms / 1000} s`), ms);
}
