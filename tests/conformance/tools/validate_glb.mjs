// Validates GLBs with the Khronos validator. Usage: node validate_glb.mjs <owner of node_modules> <glb>...; one JSON line a file.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [owner, ...files] = process.argv.slice(2);
const { validateBytes } = createRequire(join(owner, 'package.json'))('gltf-validator');

for (const file of files) {
  const report = await validateBytes(new Uint8Array(readFileSync(file)), { maxIssues: 100 });
  process.stdout.write(JSON.stringify({ file, issues: report.issues, info: report.info }) + '\n');
}
