// The extension's own code against the real server, without VS Code: what it starts, what it sends, what comes back.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { buildSync } from "esbuild";

const require = createRequire(import.meta.url);
const { createProtocolConnection, StreamMessageReader, StreamMessageWriter } = require("vscode-languageserver-protocol/node");
const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..", "..");

/** The modules of the extension that need no VS Code, compiled as they are packed. */
function compiled(name) {
  const out = join(mkdtempSync(join(tmpdir(), "seatwarden-")), `${name}.cjs`);
  buildSync({ entryPoints: [join(here, "..", "src", `${name}.ts`)], bundle: true, platform: "node", format: "cjs", outfile: out });
  return require(out);
}

const { hasRules, notStarted, server, serverSettings } = compiled("server");
const python = process.env.SEATWARDEN_PYTHON;

test("the server is the one on the path, unless the settings say another", () => {
  const usual = { command: "seatwarden", args: ["lsp"] };
  for (const command of [undefined, [], "seatwarden", [1], [""]]) assert.deepEqual(server({ command }), usual);
  assert.deepEqual(server({ command: ["py", "-m", "seatwarden", "lsp"] }), { command: "py", args: ["-m", "seatwarden", "lsp"] });
  assert.match(notStarted("seatwarden"), /seatwarden and pygls/);
});

test("the defaults of package.json are those of the code", () => {
  const { contributes, main, files } = JSON.parse(readFileSync(join(here, "..", "package.json"), "utf8"));
  const { command, args } = server({});
  assert.deepEqual(contributes.configuration.properties["seatwarden.command"].default, [command, ...args]);
  assert.deepEqual(serverSettings({}), { snapshot: contributes.configuration.properties["seatwarden.snapshot"].default });
  assert.ok(files.some((folder) => main.startsWith(`./${folder}/`)));
});

test("only YAML with license rules concerns the server", () => {
  assert.ok(hasRules(readFileSync(join(root, "examples", "butler.yaml"), "utf8")));
  assert.ok(!hasRules("services:\n  web:\n    image: licenseType\n"));
});

test("the packed code exports what VS Code calls", () => {
  const packed = readFileSync(join(here, "..", "dist", "extension.js"), "utf8");
  assert.match(packed, /activate: \(\) => activate/);
  assert.match(packed, /deactivate: \(\) => deactivate/);
});

test("a slip in a policy is marked, and a tag of the snapshot completed", { skip: python ? false : "NOT RUN: SEATWARDEN_PYTHON names no Python with seatwarden" }, async () => {
  const { command, args } = server({ command: [python, "-P", "-m", "seatwarden", "lsp"] });
  const child = spawn(command, args, { cwd: root, stdio: ["pipe", "pipe", "inherit"] });
  const connection = createProtocolConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
  connection.listen();
  const rootUri = pathToFileURL(join(root, "examples")).href;
  const initializationOptions = serverSettings({ snapshot: "site.json" });
  const { capabilities } = await connection.sendRequest("initialize", { processId: process.pid, rootUri, capabilities: {}, initializationOptions });
  for (const able of ["hoverProvider", "completionProvider", "codeActionProvider", "renameProvider", "documentFormattingProvider"]) assert.ok(capabilities[able], able);
  await connection.sendNotification("initialized", {});
  const uri = `${rootUri}/typed.policy`;
  const told = new Promise((resolve) => connection.onNotification("textDocument/publishDiagnostics", resolve));
  const text = 'keep when user.tgas = "x"\nkeep when user.tags = "\n';
  await connection.sendNotification("textDocument/didOpen", { textDocument: { uri, languageId: "seatwarden", version: 1, text } });
  const { diagnostics } = await told;
  assert.ok(diagnostics.some(({ code }) => code.startsWith("SW")));
  const items = await connection.sendRequest("textDocument/completion", { textDocument: { uri }, position: { line: 1, character: 23 } });
  assert.deepEqual(items.map(({ label }) => label), ['"License do not release"']);
  await connection.sendRequest("shutdown");
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await connection.sendNotification("exit");
  assert.equal(await ended, 0);
});
