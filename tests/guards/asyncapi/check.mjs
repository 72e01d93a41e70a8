// Prints as JSON what the specification's own parser finds wrong in the document on standard input.
// Arguments: where the parser is installed; the file whose place relative references start from.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { Parser } = createRequire(process.argv[2] + "/")("@asyncapi/parser");
const { document, diagnostics } = await new Parser().parse(readFileSync(0, "utf8"), { source: process.argv[3] });
const told = diagnostics.map(({ code, severity, message, path }) => ({ code, severity, message, path: path.join(".") }));
console.log(JSON.stringify({ version: document?.version() ?? null, messages: document?.allMessages().length ?? 0, told }));
