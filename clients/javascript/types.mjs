/** Writes src/contract-file.ts, the type of contract.json, from ../contract.schema.json. */

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { compile } from "json-schema-to-typescript";

const SCHEMA = new URL("../contract.schema.json", import.meta.url);
export const TYPES = new URL("src/contract-file.ts", import.meta.url);

/** The text of src/contract-file.ts that belongs to the schema. */
export async function types() {
  // The compiler reads tuples as JSON schema wrote them before 2020: as `items`.
  const schema = JSON.parse((await readFile(SCHEMA, "utf8")).replaceAll('"prefixItems"', '"items"'));
  return compile(schema, "Contract", {
    additionalProperties: false,
    bannerComment: "/* Written by `npm run types` from ../contract.schema.json: edit that instead. */",
    format: true,
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(TYPES, await types());
