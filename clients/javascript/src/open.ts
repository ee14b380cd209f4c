/** Opening a model: checks that the file and its contract agree. */

import type { InferenceSession } from "onnxruntime-common";

import { type Contract, ContractError, canonical, checkVectors, compare, parse } from "./contract.js";
import { list, short } from "./messages.js";
import { metadata } from "./metadata.js";
import { Model, type Place, type Runtime } from "./model.js";

/** The key of the terms in the metadata of the ONNX file. */
const METADATA_KEY = "abline.contract";

/**
 * Open a model and check that it agrees with its contract.
 *
 * content: the bytes of model.onnx; text: the text of contract.json, or undefined to use the terms
 * in the file. Rejects with ContractError if they do not match.
 */
export async function open(
  runtime: Runtime,
  content: Uint8Array<ArrayBuffer>,
  text: string | undefined,
  place: Place,
  options?: InferenceSession.SessionOptions,
): Promise<Model> {
  let whole: Contract | undefined;
  if (text !== undefined) {
    whole = parse(text, place.contract);
    const digest = await sha256(content);
    if (whole.sha256 !== digest) {
      throw new ContractError(
        `${place.file} is not the file that ${place.contract} describes: its sha256 is ${digest},` +
          ` must be ${short(whole.sha256)}; take both from one result`,
      );
    }
  }
  const noted = metadata(content).get(METADATA_KEY);
  if (noted === undefined) {
    throw new ContractError(
      `${place.file}: carries no ${METADATA_KEY}: not a model of this pipeline, an old one, or` +
        " no ONNX file",
    );
  }
  const terms = parse(noted, `${place.file}, ${METADATA_KEY}`);
  if (whole !== undefined) {
    compare(whole, terms, place);
    checkVectors(whole, place.file);
  }
  const contract = whole ?? terms;
  let session: InferenceSession;
  try {
    session = await runtime.InferenceSession.create(content, options);
  } catch (error) {
    throw new ContractError(`${place.file}: onnxruntime cannot open it: ${String(error)}`, {
      cause: error,
    });
  }
  checkGraph(session, contract, place);
  return new Model(runtime, session, contract, place);
}

/** Check that the graph has the inputs and outputs that the contract names. */
function checkGraph(session: InferenceSession, contract: Contract, place: Place): void {
  const inputs = contract.version === 1 ? [contract.input] : contract.inputs;
  const asked = [...inputs, ...contract.outputs].map(
    ({ name, dtype, shape }) => `${name}: ${dtype} [${shape.join(", ")}]`,
  );
  const found = [...session.inputMetadata, ...session.outputMetadata].map((value) => {
    if (!value.isTensor) return `${value.name}: no tensor`;
    const [first, ...others] = value.shape;
    const batch = typeof first === "string" ? "batch" : String(first);
    return `${value.name}: ${value.type} [${[batch, ...others].join(", ")}]`;
  });
  if (canonical(asked) !== canonical(found)) {
    throw new ContractError(
      `${place.file}: its inputs and outputs are ${list(found)}, must be ${list(asked)}`,
    );
  }
}

async function sha256(content: Uint8Array<ArrayBuffer>): Promise<string> {
  // Browsers have it on https and on localhost only.
  if (globalThis.crypto?.subtle === undefined) {
    throw new ContractError("the model's sha256 can be checked on https or localhost only");
  }
  const digest = new Uint8Array(await globalThis.crypto.subtle.digest("SHA-256", content));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

