// @ts-check
// The snapshot's file format: written by tools/snapshot.mjs, restored here and in its proof.
//
// Little-endian uint32: length of the memory, number of runs; then start and end of each run. Then
// Pyodide's header, then the runs' bytes. What lies between runs is zero.

const FIXED = 8;
/** Bytes of Pyodide's header, for a snapshot that holds no JavaScript; tools/snapshot.mjs checks. */
export const HEADER = 128;

/** What Pyodide gets for a standard library: the snapshot holds all that we import. */
export const EMPTY_ZIP = Uint8Array.from([0x50, 0x4b, 5, 6, ...Array(18).fill(0)]);

/**
 * Options with which `loadPyodide` restores a packed snapshot. Pyodide itself would wait for the
 * snapshot before it looks at its WebAssembly, and copy all of it twice. So it gets a header that
 * stays empty until the module stands, and an empty memory to copy after it: we write the real ones
 * in between.
 * @param {(settings: object) => Promise<any>} create the default export of pyodide.asm.mjs
 * @param {Promise<ArrayBuffer>} packed
 */
export function restoring(create, packed) {
  const head = new Uint8Array(HEADER);
  return {
    _loadSnapshot: head,
    createPyodideModule: async (/** @type {object} */ settings) => {
      const module = await create(settings);
      unpack(await packed, head, module);
      return module;
    },
  };
}

/**
 * @param {ArrayBuffer} packed
 * @param {Uint8Array} head
 * @param {any} module Pyodide's, fresh
 */
function unpack(packed, head, module) {
  const [length, count] = new Uint32Array(packed, 0, 2);
  const runs = new Uint32Array(packed, FIXED, 2 * count);
  let at = FIXED + runs.byteLength;
  head.set(new Uint8Array(packed, at, HEADER));
  at += HEADER;
  if (length > module.HEAPU8.length) module.growMemory(length);
  const heap = module.HEAPU8;
  const used = module._sbrk(0); // above it, fresh memory is zero already
  let end = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const [start, next] = runs.subarray(i, i + 2);
    if (end < used) heap.fill(0, end, Math.min(start, used));
    heap.set(new Uint8Array(packed, at, next - start), start);
    at += next - start;
    end = next;
  }
  if (end < used) heap.fill(0, end, used);
}
