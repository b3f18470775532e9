// Prints, as JSON, what the Khronos validator says of each glTF binary named on the command line.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
const validator = createRequire(import.meta.url)("gltf-validator");
const found = {};
for (const file of process.argv.slice(2)) {
  const report = await validator.validateBytes(new Uint8Array(readFileSync(file)), { maxIssues: 1000 });
  found[file] = report.issues.messages.map((message) => [message.severity, message.code, message.pointer]);
}
console.log(JSON.stringify(found));
