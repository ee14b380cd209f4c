// Serve the page with a model on this machine: npm start -- [MODELS [PORT]].

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";

import { parts } from "./site.mjs";

const [models, port = "8080"] = process.argv.slice(2);
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

// Only what the page consists of can be asked for.
const files = new Map(Object.entries(await parts(models)).map(([name, path]) => [`/${name}`, path]));
const server = createServer(async (request, response) => {
  const [address] = request.url.split("?");
  const path = files.get(address === "/" ? "/index.html" : address);
  const found = path && (await stat(path).catch(() => undefined));
  if (!found) {
    response.writeHead(404).end("there is no such file\n");
    return;
  }
  response.writeHead(200, {
    "Content-Type": TYPES[extname(path)] ?? "application/octet-stream",
    "Content-Length": found.size,
    "Cache-Control": "no-store",
  });
  createReadStream(path).pipe(response);
});
server.on("error", (error) => {
  const why = error.code === "EADDRINUSE" ? "another program listens there" : error.message;
  console.error(`error: port ${port}: ${why}; \`npm start -- MODELS PORT\` names another`);
  process.exit(1);
});
server.listen(Number(port), "127.0.0.1", () => {
  console.log(`http://localhost:${server.address().port}/`);
});
