// @ts-check
// Builds what the browser needs to run our Python: `node tools/snapshot.mjs CHECKOUT OUT FILES`.
//
// Starts Pyodide, imports `calculators`, answers every calculator once, and saves the memory. A
// browser that restores it skips booting Python altogether. FILES is what pages tell the browser, see
// tools/assets.py: where in OUT to put
//
//   pyodide    the folder of Pyodide itself, as published
//   snapshot   the memory, without its empty pages (see `pack`)
//   sources    our files, for a plain boot where restoring fails
//
// The result is proven before it is written: a second Pyodide
// restores it, with no standard library and no files, and answers again.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { loadPyodide } from "pyodide";
// @ts-expect-error: published without types
import createPyodideModule from "pyodide/pyodide.asm.mjs";
import { EMPTY_ZIP, HEADER, restoring } from "../site/runtime/memory.js";

const PYODIDE = dirname(fileURLToPath(import.meta.resolve("pyodide")));
const PYODIDE_FILES = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"];
const PAGE = 4096; // bytes
const SHIPPED = /\.(py|json|toml|html)$/;
// The seed is frozen into the memory anyway; a fixed one makes builds repeatable. Where in a line
// something failed is of no use where there are no lines.
const ENV = {
  PYTHONHASHSEED: "0",
  PYTHONDONTWRITEBYTECODE: "1",
  PYTHONNODEBUGRANGES: "1",
  HOME: "/home/pyodide",
};

// Modules that a function imports late: afterwards no file is left to find them in. Printed by the
// checkout's own Python, for looking in Pyodide would leave its litter in the snapshot. The command
// line is not shipped to browsers.
const IMPORTS = `
import ast, jinja2, markupsafe, pathlib, sys
names = set()
for path in pathlib.Path(sys.argv[1]).rglob("*.py"):
    tree = ast.parse(path.read_text(encoding="utf-8") if path.name != "__main__.py" else "")
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for node in ast.walk(function):
            if isinstance(node, ast.Import):
                names |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(node.module)
print(jinja2.__file__, markupsafe.__file__, *sorted(names), sep="\\n")
`;

const WARM = `
import gc, importlib, linecache, sys, traceback
sys.path.insert(0, "/app")
import calculators
for name in names:
    importlib.import_module(name)
calculators.warm()
del importlib, names
linecache.clearcache()
sys.path_importer_cache.clear()
gc.collect()
gc.freeze()
`;

const ZIP = `
import io, pathlib, zipfile
packed = io.BytesIO()
with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for path in sorted(pathlib.Path("/app").rglob("*")):
        if path.is_file():
            name = zipfile.ZipInfo(str(path.relative_to("/app")), (1980, 1, 1, 0, 0, 0))
            archive.writestr(name, path.read_bytes(), zipfile.ZIP_DEFLATED)
packed.getvalue()
`;

/**
 * A folder that holds what the browser shall see as /app, and the modules it may ask for.
 * @param {string} checkout
 */
function stage(checkout) {
  const folder = mkdtempSync(join(tmpdir(), "app-"));
  const python = process.env.PYTHON ?? join(checkout, ".venv/bin/python");
  const options = { encoding: /** @type {const} */ ("utf-8") };
  const printed = execFileSync(python, ["-c", IMPORTS, join(checkout, "calculators")], options);
  const [jinja2, markupsafe, ...names] = printed.trim().split("\n");
  const filter = (/** @type {string} */ path) =>
    !path.includes("__pycache__") && (SHIPPED.test(path) || !basename(path).includes("."));
  const ours = [join(checkout, "calculators"), join(checkout, "templates")];
  for (const from of [...ours, dirname(jinja2), dirname(markupsafe)]) {
    cpSync(from, join(folder, basename(from)), { recursive: true, filter });
  }
  return { folder, names };
}

/**
 * Overwrite with zeros what the allocator holds free: stale bytes would be shipped to everyone.
 * @param {any} heap Pyodide's module.
 */
function wipe(heap) {
  const top = heap._sbrk(0);
  const held = [];
  // From blocks that fit in the room above the top: a heap that grows here would stay grown.
  for (let size = 1 << 16; size >= 16; size >>= 1) {
    for (let block = 0; block + size <= top; held.push(block)) {
      block = heap._malloc(size);
      heap.HEAPU8.fill(0, block, block + size);
    }
  }
  for (const block of held) heap._free(block);
}

/**
 * The snapshot without its empty pages, in the format of site/runtime/memory.js: half the size to
 * read, in any cache.
 * @param {Uint8Array} snapshot
 */
function pack(snapshot) {
  const header = new Uint32Array(snapshot.buffer, snapshot.byteOffset, 2)[1];
  if (header !== HEADER) throw new Error(`Pyodide's header has ${header} bytes`);
  const memory = snapshot.subarray(header);
  /** @type {number[][]} */
  const runs = [];
  for (let start = 0; start < memory.length; start += PAGE) {
    if (memory.subarray(start, start + PAGE).every((byte) => byte === 0)) continue;
    const last = runs.at(-1);
    if (last?.[1] === start) last[1] = start + PAGE;
    else runs.push([start, start + PAGE]);
  }
  const index = new Uint32Array([memory.length, runs.length, ...runs.flat()]);
  const bytes = runs.map(([start, end]) => memory.subarray(start, end));
  const head = snapshot.subarray(0, header);
  return Buffer.concat([new Uint8Array(index.buffer), head, ...bytes]);
}

/**
 * @param {string} app
 * @param {string[]} names
 */
async function build(app, names) {
  const pyodide = await loadPyodide({ _makeSnapshot: true, env: { ...ENV } });
  pyodide.FS.mkdirTree("/app");
  pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: app }, "/app");
  pyodide.globals.set("names", pyodide.toPy(names));
  pyodide.runPython(WARM);
  wipe(/** @type {any} */ (pyodide)._module);
  const memory = pyodide.makeMemorySnapshot();
  const sources = pyodide.runPython(ZIP).toJs();
  const slugs = pyodide.runPython("list(calculators.CALCULATORS)").toJs();
  return { memory, sources, slugs };
}

/**
 * Restore as the browser will, and answer everything again: a file or module that only an answer
 * reaches would be missing there.
 * @param {Buffer} packed
 * @param {object} lock
 */
async function prove(packed, lock) {
  const empty = join(mkdtempSync(join(tmpdir(), "empty-")), "empty.zip");
  writeFileSync(empty, EMPTY_ZIP);
  const restored = await loadPyodide({
    .../** @type {any} */ (
      restoring(createPyodideModule, Promise.resolve(new Uint8Array(packed).buffer))
    ),
    stdLibURL: empty,
    lockFileContents: /** @type {any} */ (lock),
    packageBaseUrl: "/",
  });
  rmSync(dirname(empty), { recursive: true });
  const calculators = restored.pyimport("calculators");
  for (const answer of calculators.rehearsal()) JSON.parse(answer);
  const refused = JSON.parse(calculators.answer("no-such-calculator", "a=b"));
  if (!Object.keys(refused.errors).length) throw new Error("a wrong question was answered");
}

/**
 * @param {string} path
 * @param {Uint8Array} bytes
 */
function write(path, bytes) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

/**
 * @param {string} checkout
 * @param {string} out
 * @param {{pyodide: string, snapshot: string, sources: string, lock: object}} files
 */
async function main(checkout, out, files) {
  const { folder: app, names } = stage(checkout);
  const { memory, sources, slugs } = await build(app, names);
  rmSync(app, { recursive: true });
  const packed = pack(memory);
  await prove(packed, files.lock);

  rmSync(out, { recursive: true, force: true });
  for (const name of PYODIDE_FILES) {
    write(join(out, files.pyodide, name), readFileSync(join(PYODIDE, name)));
  }
  write(join(out, files.snapshot), packed);
  write(join(out, files.sources), sources);
  const MB = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(1);
  console.log(
    `snapshot: ${slugs.length} calculators, ${MB(packed.length)} MB of ${MB(memory.length)} MB`,
  );
}

const [, , checkout, out, files] = process.argv;
if (!files) throw new Error("usage: node tools/snapshot.mjs CHECKOUT OUT FILES");
try {
  await main(resolve(checkout), resolve(out), JSON.parse(files));
} catch (error) {
  // Node would print the line that threw, which is all of Pyodide.
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
