// The type of contract.json is the one of its schema.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { TYPES, types } from "../types.mjs";

test("src/contract-file.ts is what `npm run types` writes", async () => {
  assert.equal(await readFile(TYPES, "utf8"), await types(), "run `npm run types`, or `make schema`");
});
