import { resolve } from 'node:path';
import { defineConfig } from 'vite';

/**
 * The exported page: one classic script and one style sheet, that `cim export` writes into an HTML file.
 * Run after the pages' own build, which empties the folder.
 */
export default defineConfig({
  publicDir: false,
  resolve: {
    // As for the pages: what starts WebAssembly on load is refused by the file's content security policy.
    alias: { 'meshoptimizer/decoder': resolve(import.meta.dirname, 'src/map/stubs/meshopt.ts') },
  },
  define: { 'process.env.NODE_ENV': '"production"' },
  build: {
    outDir: '../static',
    emptyOutDir: false,
    target: 'es2022',
    cssCodeSplit: false,
    chunkSizeWarningLimit: 2500,
    lib: {
      entry: resolve(import.meta.dirname, 'src/export/main.ts'),
      name: 'cimExport',
      formats: ['iife'],
      fileName: () => 'export.js',
      cssFileName: 'export',
    },
  },
});
