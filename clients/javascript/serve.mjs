// Serve the page with a model on this machine: npm start -- [MODELS [PORT]].

import { open } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { pipeline } from "node:stream/promises";

import { parts } from "./site.mjs";

const [models, port = "8080"] = process.argv.slice(2);
if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) {
  console.error(`error: port ${JSON.stringify(port)}: must be a whole number from 0 to 65535`);
  process.exit(1);
}
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};
const SAFE = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "frame-ancestors 'none'", // the page has the rest in itself
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};
// A page elsewhere may give its own name this machine's address, and read what it asks for.
const LOCAL = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

// Only what the page consists of can be asked for.
const files = new Map(Object.entries(await parts(models)).map(([name, path]) => [`/${name}`, path]));

async function answer(request, response) {
  const refuse = (status, why, more = {}) =>
    response.writeHead(status, { ...SAFE, "Content-Type": "text/plain", ...more }).end(`${why}\n`);
  if (!LOCAL.test(request.headers.host ?? "")) return refuse(403, "ask for localhost");
  if (!["GET", "HEAD"].includes(request.method)) {
    return refuse(405, "GET and HEAD alone", { Allow: "GET, HEAD" });
  }
  const [address] = request.url.split("?");
  const path = files.get(address === "/" ? "/index.html" : address);
  if (path === undefined) return refuse(404, "there is no such file");
  let file;
  try {
    file = await open(path);
  } catch (error) {
    return refuse(error.code === "ENOENT" ? 404 : 500, `${address} cannot be read: ${error.code}`);
  }
  try {
    response.writeHead(200, {
      ...SAFE,
      "Content-Type": TYPES[extname(path)] ?? "application/octet-stream",
      "Content-Length": (await file.stat()).size,
    });
    if (request.method === "HEAD") response.end();
    else await pipeline(file.createReadStream({ autoClose: false }), response);
  } finally {
    await file.close();
  }
}

const server = createServer((request, response) => {
  // Whoever asks may hang up at any time; that ends the answer, not the server.
  answer(request, response).catch(() => response.destroy());
});
server.on("error", (error) => {
  const why = error.code === "EADDRINUSE" ? "another program listens there" : error.message;
  console.error(`error: port ${port}: ${why}; \`npm start -- MODELS PORT\` names another`);
  process.exit(1);
});
server.listen(Number(port), "127.0.0.1", () => {
  console.log(`http://localhost:${server.address().port}/`);
});
