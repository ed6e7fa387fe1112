// Colours of the examples by VS Code's own tokenizer: prints them, or with --record writes recorded-tokens.json.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import oniguruma from "vscode-oniguruma";
import textmate from "vscode-textmate";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..", "..");
const grammarFile = join(here, "..", "syntaxes", "seatwarden.tmLanguage.json");
const wasm = createRequire(import.meta.url).resolve("vscode-oniguruma/release/onig.wasm");

const textOf = (file) => readFileSync(file, "utf8").replaceAll("\r\n", "\n");
const digest = (text) => createHash("sha256").update(text).digest("hex");

await oniguruma.loadWASM(readFileSync(wasm).buffer);
const registry = new textmate.Registry({
  onigLib: Promise.resolve({
    createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
    createOnigString: (text) => new oniguruma.OnigString(text),
  }),
  loadGrammar: async () => textmate.parseRawGrammar(textOf(grammarFile), grammarFile),
});
const grammar = await registry.loadGrammar("source.seatwarden");

// [line, start column, end column, scope] of every coloured stretch; lines and columns count from 0.
function tokens(text) {
  const found = [];
  let state = textmate.INITIAL;
  text.split("\n").forEach((line, number) => {
    const result = grammar.tokenizeLine(line, state);
    state = result.ruleStack;
    for (const { startIndex, endIndex, scopes } of result.tokens) {
      if (scopes.length > 1) found.push([number, startIndex, Math.min(endIndex, line.length), scopes.at(-1)]);
    }
  });
  return found;
}

const examples = readdirSync(join(root, "examples"))
  .filter((name) => name.endsWith(".policy"))
  .map((name) => `examples/${name}`);
const files = {};
for (const name of ["editors/vscode/test/sample.policy", ...examples.sort()]) {
  const text = textOf(join(root, name));
  files[name] = { sha256: digest(text), tokens: tokens(text) };
}

const rows = Object.entries(files).map(
  ([name, { sha256, tokens: found }]) =>
    `    ${JSON.stringify(name)}: {\n      "sha256": ${JSON.stringify(sha256)},\n      "tokens": [\n` +
    found.map((token) => `        ${JSON.stringify(token)}`).join(",\n") +
    "\n      ]\n    }",
);
const recorded = `{\n  "grammar": ${JSON.stringify(digest(textOf(grammarFile)))},\n  "files": {\n${rows.join(",\n")}\n  }\n}\n`;
if (process.argv.includes("--record")) writeFileSync(join(here, "recorded-tokens.json"), recorded);
else process.stdout.write(recorded);
