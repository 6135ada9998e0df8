import { resolve } from 'node:path';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/**
 * Pages of one bundle. `static/<page>.html` is what the server sends at `/<page>`;
 * everything the pages ask for lies in `static/assets/` and is asked for as `/assets/…`.
 *
 * `assetsInlineLimit: 0` and no module preload polyfill: the pages run under a content
 * security policy that allows neither `data:` scripts nor inline scripts.
 */
const page = (name: string): string => resolve(import.meta.dirname, `${name}.html`);

/** What every page begins with, and what it says where nothing runs: one wording for all of them. */
const HEAD = `<meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
    <meta name="color-scheme" content="light dark">
    <link rel="icon" type="image/svg+xml" href="./src/ui/icon.svg">`;
const NOSCRIPT =
  '<noscript>This page draws the city with JavaScript. The same data is at /ogc. 本页以 JavaScript 绘制城市，同样的数据见 /ogc。</noscript>';

const shell = (): Plugin => ({
  name: 'cim-shell',
  // Before the build looks for what a page asks for: the icon is one of those.
  transformIndexHtml: { order: 'pre', handler: (html) => html.replace('<!-- head -->', HEAD).replace('<!-- noscript -->', NOSCRIPT) },
});

/** The server to ask while `npm run dev` serves the pages. */
const api = process.env['CIM_DEV_SERVER'] ?? 'http://127.0.0.1:8000';

export default defineConfig({
  base: '/',
  plugins: [shell()],
  resolve: {
    // Starts WebAssembly on load, which the content security policy of the pages refuses; our tiles do not need it.
    alias: { 'meshoptimizer/decoder': resolve(import.meta.dirname, 'src/map/stubs/meshopt.ts') },
  },
  build: {
    outDir: '../static',
    emptyOutDir: true,
    assetsDir: 'assets',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    chunkSizeWarningLimit: 2500,
    rollupOptions: {
      input: { explore: page('explore'), plan: page('plan'), table: page('table'), docs: page('docs'), report: page('report'), quality: page('quality'), upload: page('upload'), embed: page('embed') },
    },
  },
  server: {
    proxy: {
      '/api': api,
      '/tiles': api,
      '/ogc': api,
      '/openapi.json': api,
      '/live': { target: api, ws: true },
    },
  },
  test: {
    include: ['src/**/*.test.ts'],
    environment: 'node',
  },
});
