// Validates and decodes GLBs with other people's code: the Khronos validator and loaders.gl.
// Usage: node read_tiles.mjs <folder of node_modules' owner> <glb>...; prints one JSON line per file.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [owner, ...files] = process.argv.slice(2);
const require = createRequire(join(owner, 'package.json'));

const { validateBytes } = require('gltf-validator');
const { parse } = require('@loaders.gl/core');
const { GLTFLoader, postProcessGLTF } = require('@loaders.gl/gltf');

for (const file of files) {
  const bytes = readFileSync(file);
  const report = await validateBytes(new Uint8Array(bytes), { maxIssues: 100 });
  const content = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const raw = await parse(content, GLTFLoader, { core: { worker: false }, gltf: { loadImages: false } });
  const gltf = postProcessGLTF(raw);
  const table = gltf.extensions.EXT_structural_metadata.propertyTables[0];
  const primitives = gltf.meshes[0].primitives;
  const columns = Object.fromEntries(
    Object.entries(table.properties).map(([name, property]) => [name, Array.from(property.data)]),
  );
  const used = new Set(primitives[0].attributes._FEATURE_ID_0.value);
  process.stdout.write(
    JSON.stringify({
      file,
      errors: report.issues.numErrors,
      warnings: report.issues.numWarnings,
      messages: report.issues.messages.filter((m) => m.severity < 2),
      columns,
      used: [...used].sort((a, b) => a - b),
      modes: primitives.map((p) => p.mode ?? 4),
    }) + '\n',
  );
}
