// Put the page together in site/ and serve it on this machine: npm start [-- MODELS [PORT]].

import { cp, mkdir, rm } from "node:fs/promises";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const site = join(here, "site");
const [models = join(here, "../../models"), port = "8080"] = process.argv.slice(2);
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

await rm(site, { recursive: true, force: true });
await mkdir(join(site, "models"), { recursive: true });
const runtime = fileURLToPath(new URL(".", import.meta.resolve("onnxruntime-web/wasm")));
const parts = [
  [join(here, "page"), "."],
  [join(here, "dist/page.js"), "page.js"],
  [join(here, "dist/browser.js"), "client/browser.js"],
  [join(here, "dist/model.js"), "client/model.js"],
  [join(runtime, "ort.wasm.bundle.min.mjs"), "runtime/ort.wasm.bundle.min.mjs"],
  [join(runtime, "ort-wasm-simd-threaded.wasm"), "runtime/ort-wasm-simd-threaded.wasm"],
  [join(models, "model.onnx"), "models/model.onnx"],
  [join(models, "contract.json"), "models/contract.json"],
];
for (const [from, to] of parts) {
  try {
    await cp(from, join(site, to), { recursive: true });
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    console.error(`error: ${from}: there is no such file; \`make repro\` makes the model`);
    process.exit(1);
  }
}

const server = createServer(async (request, response) => {
  let path;
  try {
    path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
  } catch {
    response.writeHead(400).end("not an address\n");
    return;
  }
  const file = join(site, path.endsWith("/") ? `${path}index.html` : path);
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) {
    response.writeHead(404).end("there is no such file\n");
    return;
  }
  response.writeHead(200, {
    "Content-Type": TYPES[extname(file)] ?? "application/octet-stream",
    "Content-Length": found.size,
    "Cache-Control": "no-store",
  });
  createReadStream(file).pipe(response);
});
server.on("error", (error) => {
  console.error(`error: port ${port}: ${error.message}`);
  process.exit(1);
});
server.listen(Number(port), "127.0.0.1", () => {
  console.log(`http://localhost:${server.address().port}/`);
});
