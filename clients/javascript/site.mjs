// Put the page and a model together for a static host: npm run site -- [MODELS [FOLDER]].

import { cp, readdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const runtime = dirname(fileURLToPath(import.meta.resolve("onnxruntime-web/wasm")));

/** The files of the page by their addresses on its host. models: the folder of the model. */
export async function parts(models = join(here, "../../models")) {
  const found = {
    "index.html": join(here, "page/index.html"),
    "page.css": join(here, "page/page.css"),
    "icon.svg": join(here, "page/icon.svg"),
    "page/page.js": join(here, "dist/page/page.js"),
    "client/browser.js": join(here, "dist/browser.js"),
    ...(await scripts("page", join(here, "dist/page"))),
    ...(await scripts("client", join(here, "dist"))),
    "runtime/ort.wasm.bundle.min.mjs": join(runtime, "ort.wasm.bundle.min.mjs"),
    "runtime/ort-wasm-simd-threaded.wasm": join(runtime, "ort-wasm-simd-threaded.wasm"),
    "models/model.onnx": join(models, "model.onnx"),
    "models/contract.json": join(models, "contract.json"),
  };
  for (const path of Object.values(found)) {
    if (!(await stat(path).catch(() => undefined))?.isFile()) {
      console.error(`error: ${path}: there is no such file; \`make repro\` makes the model`);
      process.exit(1);
    }
  }
  return found;
}

/** The scripts in a folder, without the one for Node, by their addresses. */
async function scripts(address, folder) {
  const names = await readdir(folder).catch(() => []); // parts() misses page.js then
  const ofPage = names.filter((name) => name.endsWith(".js") && name !== "node.js");
  return Object.fromEntries(ofPage.map((name) => [`${address}/${name}`, join(folder, name)]));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [models, folder = join(here, "site")] = process.argv.slice(2);
  for (const [name, path] of Object.entries(await parts(models))) {
    await cp(path, join(folder, name), { recursive: true });
  }
  console.log(resolve(folder));
}
