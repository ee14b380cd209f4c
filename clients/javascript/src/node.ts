/** The client for Node: onnxruntime-node. */

import { lstat, readFile, readdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import type { InferenceSession } from "onnxruntime-common";
import * as runtime from "onnxruntime-node";

import { ContractError, type Model } from "./model.js";
import { open } from "./open.js";

export * from "./model.js";

/**
 * Open a model and check that it agrees with its contract.
 *
 * path: the folder with model.onnx and contract.json, or the ONNX file, whose contract.json lies
 * beside it; without it the terms in the file are used. Rejects with ContractError if they do not
 * match, and if there is no such file.
 */
export async function load(
  path: string,
  options?: InferenceSession.SessionOptions,
): Promise<Model> {
  const file = await modelFile(path);
  const beside = join(dirname(file), "contract.json");
  const content = new Uint8Array(await bytes(file));
  // A link that leads nowhere is no missing contract.
  const there = await lstat(beside).catch(() => undefined);
  const text = there && new TextDecoder().decode(await bytes(beside));
  return open(runtime, content, text, { file, contract: resolve(beside) }, options);
}

/** The path of the ONNX file that `load` opens. */
async function modelFile(path: string): Promise<string> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    throw new ContractError(
      `${resolve(path)}: there is no such file or folder: \`load\` takes a folder or an ONNX file`,
      { cause: error },
    );
  });
  if (!found.isDirectory()) return path;
  const names = await readdir(path);
  if (names.includes("model.onnx")) return join(path, "model.onnx");
  const others = names.filter((name) => name.endsWith(".onnx")).sort();
  const there = others.length > 0 ? `it has ${others.join(", ")}: name one of them` : "nor any other .onnx";
  throw new ContractError(`${resolve(path, "model.onnx")}: there is no such file in this folder; ${there}`);
}

/** Read a regular file: a pipe or a device may have no end. */
async function bytes(path: string): Promise<Buffer> {
  if (!(await stat(path)).isFile()) throw new ContractError(`${path}: must be a regular file`);
  return readFile(path);
}
