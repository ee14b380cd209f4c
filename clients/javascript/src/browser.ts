/** The client for browsers: onnxruntime-web, with its wasm from the page's own origin. */

import type { InferenceSession } from "onnxruntime-common";
import * as runtime from "onnxruntime-web/wasm";

import { ContractError, type Model } from "./model.js";
import { open } from "./open.js";

export * from "./model.js";

/**
 * Open a model and check that it agrees with its contract.
 *
 * url: of the folder with model.onnx and contract.json, or of the ONNX file, beside which
 * contract.json is asked for; without it the terms in the file are used.
 * Rejects with ContractError if they do not match or cannot be fetched.
 */
export async function load(
  url: string | URL,
  options?: InferenceSession.SessionOptions,
): Promise<Model> {
  const given = new URL(url, document.baseURI);
  const file = given.pathname.endsWith(".onnx") ? given : new URL("model.onnx", folder(given));
  const beside = new URL("contract.json", file);
  const content = await fetched(file);
  if (content === undefined) throw new ContractError(`${file.href}: there is no such file`);
  const text = await fetched(beside);
  try {
    return await open(
      runtime,
      new Uint8Array(await content.arrayBuffer()),
      await text?.text(),
      { file: file.href, contract: beside.href },
      { executionProviders: ["wasm"], ...options },
    );
  } catch (error) {
    throw explained(error);
  }
}

/** The file that onnxruntime-web fetches; if it is missing, its error does not say where. */
const WASM = "ort-wasm-simd-threaded.wasm";

/** The error with the file to copy and its place, if onnxruntime did not start without it. */
function explained(error: unknown): unknown {
  if (!(error instanceof ContractError && /backend|wasm/i.test(error.message))) return error;
  return new ContractError(
    `onnxruntime-web did not start: it loads ${WASM} from the folder of its own script (of the bundle,` +
      ` where there is one) or from env.wasm.wasmPaths; copy node_modules/onnxruntime-web/dist/${WASM}` +
      ` there (${error.message})`,
    { cause: error },
  );
}

function folder(url: URL): URL {
  const found = new URL(url);
  if (!found.pathname.endsWith("/")) found.pathname += "/";
  return found;
}

async function fetched(url: URL): Promise<Response | undefined> {
  const response = await fetch(url);
  // Hosts of single-page applications answer every address with their page.
  const html = response.headers.get("Content-Type")?.startsWith("text/html") ?? false;
  if (response.status === 404 || (response.ok && html)) return undefined;
  if (!response.ok) throw new ContractError(`${url.href}: ${response.status} ${response.statusText}`);
  return response;
}
