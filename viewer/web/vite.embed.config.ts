import { resolve } from 'node:path';
import { defineConfig } from 'vite';

/** The element for the pages of others, under a name that does not change; after the pages' own build. */
export default defineConfig({
  publicDir: false,
  build: {
    outDir: '../static/assets',
    emptyOutDir: false,
    target: 'es2022',
    lib: {
      entry: resolve(import.meta.dirname, 'src/embed/cim-viewer.ts'),
      formats: ['es'],
      fileName: () => 'cim-viewer.js',
    },
  },
});
