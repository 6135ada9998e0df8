import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { problemsEn } from './problems-en';
import { problemsZh } from './problems-zh';

const ROOT = resolve(import.meta.dirname, '../../../..');
const CODE = /\bcode(?:: ClassVar\[str\])?\s*=\s*"([a-z][a-z0-9_-]*)"/g;
/** The command line says these itself; no page asks for what could raise them. */
const COMMAND_LINE = new Set(['address', 'exists', 'no-file', 'no-folder', 'no-server', 'no-write', 'port-in-use', 'tiles-unsound', 'time-zone', 'usage']);

const codes = globSync('cim/**/*.py', { cwd: ROOT }).flatMap((file) => [...readFileSync(resolve(ROOT, file), 'utf8').matchAll(CODE)].map((found) => found[1] ?? ''));

describe('problem codes', () => {
  it('are found in the server', () => {
    expect(codes).toContain('object-not-found');
    expect(codes.length).toBeGreaterThan(40);
  });

  it.each([...new Set(codes)].filter((code) => !COMMAND_LINE.has(code)).sort())('%s has words in both languages', (code) => {
    expect(Object.keys(problemsEn)).toContain(code);
    expect(Object.keys(problemsZh)).toContain(code);
  });
});
