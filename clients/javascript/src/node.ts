/** The client for Node: onnxruntime-node. */

import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { InferenceSession } from "onnxruntime-common";
import * as runtime from "onnxruntime-node";

import { type Model, open } from "./model.js";

export * from "./model.js";

/**
 * Open a model and check that it is the one that its contract describes.
 *
 * path: the folder with model.onnx and contract.json, or the ONNX file, whose contract.json lies
 * beside it; without one the terms in the file are used. Rejects with ContractError if they do not
 * match.
 */
export async function load(
  path: string,
  options?: InferenceSession.SessionOptions,
): Promise<Model> {
  const file = (await stat(path)).isDirectory() ? join(path, "model.onnx") : path;
  const content = new Uint8Array(await readFile(file));
  let text: string | undefined;
  try {
    text = await readFile(join(dirname(file), "contract.json"), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  return open(runtime, content, text, options);
}
