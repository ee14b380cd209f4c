// serve.mjs, as a process of its own: it goes on whatever is asked of it.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmod, cp, mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const from = process.env.ABLINE_MODELS ?? fileURLToPath(new URL("../../../models", import.meta.url));
const script = fileURLToPath(new URL("../serve.mjs", import.meta.url));
const WASM = "/runtime/ort-wasm-simd-threaded.wasm";

let models;
let server;
let port;
before(async () => {
  models = await mkdtemp(join(tmpdir(), "abline-"));
  await cp(from, models, { recursive: true });
  // Few files may be open, so that those that stay open are noticed.
  server = spawn("sh", ["-c", 'ulimit -n 64; exec node "$0" "$1" 0', script, models], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface(server.stdout)) {
    port = Number(new URL(line).port);
    break;
  }
});
after(async () => {
  server.kill();
  await rm(models, { recursive: true });
});

function ask(path, { method = "GET", host = `localhost:${port}` } = {}) {
  return new Promise((resolve, reject) => {
    const options = { port, path, method, headers: { Host: host }, agent: new Agent() };
    const asked = request({ host: "127.0.0.1", ...options }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ ...response, status: response.statusCode, size: Buffer.concat(chunks).length }));
    });
    asked.on("error", reject).end();
  });
}

test("the page and its parts", async () => {
  const page = await ask("/");
  assert.equal(page.status, 200);
  const { size } = await ask(WASM);
  assert.ok(size > 1e6);
  const head = await ask(WASM, { method: "HEAD" });
  assert.deepEqual([head.status, head.size], [200, 0]);
});

test("headers that keep the page to itself", async () => {
  const headers = await new Promise((resolve) =>
    request({ host: "127.0.0.1", port, path: "/" }, (response) => {
      response.resume();
      resolve(response.headers);
    }).end(),
  );
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.match(headers["content-security-policy"], /frame-ancestors 'none'/);
});

test("a port that is none is one line", () => {
  for (const wrong of ["abc", "99999", "-1", "8080x", ""]) {
    const done = spawnSync("node", [script, models, wrong], { encoding: "utf8" });
    assert.equal(done.status, 1, wrong);
    assert.equal(done.stderr, `error: port "${wrong}": must be a whole number from 0 to 65535\n`);
  }
});

test("names of this machine alone, GET and HEAD alone", async () => {
  for (const host of ["localhost", `127.0.0.1:${port}`, `[::1]:${port}`, `LOCALHOST:${port}`]) {
    assert.equal((await ask("/", { host })).status, 200, host);
  }
  for (const host of ["example.org", "localhost.example.org", `127.0.0.1.nip.io:${port}`, "evil localhost"]) {
    assert.equal((await ask("/", { host })).status, 403, host);
  }
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"]) {
    assert.equal((await ask("/", { method })).status, 405, method);
  }
  for (const path of ["/serve.mjs", "/../serve.mjs", "/models/", "//", "/models/%2e%2e/page.js"]) {
    assert.equal((await ask(path)).status, 404, path);
  }
});

test("downloads that are broken off leave no file open", async () => {
  for (let round = 0; round < 10; round++) {
    await Promise.all(
      Array.from({ length: 20 }, () =>
        new Promise((resolve, reject) => {
          const socket = connect(port, "127.0.0.1", () =>
            socket.write(`GET ${WASM} HTTP/1.1\r\nHost: localhost\r\n\r\n`),
          );
          socket.once("data", () => socket.destroy());
          // The server may have been writing when the download was broken off.
          socket.on("close", resolve).on("error", (error) => error.code === "ECONNRESET" || reject(error));
        }),
      ),
    );
  }
  assert.equal((await ask("/")).status, 200);
  assert.ok((await ask(WASM)).size > 1e6);
});

test("a file that is gone or cannot be read ends the answer, not the server", async () => {
  const path = join(models, "contract.json");
  await chmod(path, 0);
  assert.ok([200, 500].includes((await ask("/models/contract.json")).status)); // root reads it all
  await rm(path);
  assert.equal((await ask("/models/contract.json")).status, 404);
  assert.equal((await ask("/")).status, 200);
});
