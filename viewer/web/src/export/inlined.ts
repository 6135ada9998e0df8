/**
 * The files that an exported page carries, and a `fetch` that answers from them.
 *
 * Each is a script element that never runs: `data-path` is where the server has the file, `data-media`
 * its media type, the text its bytes, gzipped, in base64. They are decoded when they are asked for.
 */
export interface InlinedFile {
  readonly media: string;
  /** Base64 of the gzipped bytes. */
  readonly text: () => string;
}

export type Files = ReadonlyMap<string, InlinedFile>;

export function filesIn(root: ParentNode): Files {
  const files = new Map<string, InlinedFile>();
  for (const element of root.querySelectorAll<HTMLScriptElement>('script[data-path]')) {
    const { path = '', media = '' } = element.dataset;
    files.set(path, { media, text: () => element.textContent ?? '' });
  }
  return files;
}

/** The path that an address had on the server, whatever the page was opened from. */
export function pathOf(address: string, base: string): string {
  const url = new URL(address, base);
  // On Windows a path is resolved against the drive that the page lies on.
  return url.pathname.replace(/^\/[A-Za-z]:(?=\/)/, '') + url.search;
}

export function findFile(files: Files, address: string, base: string): InlinedFile | undefined {
  const path = pathOf(address, base);
  return files.get(path) ?? files.get(path.replace(/\?.*$/, ''));
}

export async function bytesOf(file: InlinedFile): Promise<ArrayBuffer> {
  const packed = Uint8Array.from(atob(file.text().trim()), (c) => c.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(unpacked).arrayBuffer();
}

/** A `fetch` over the files: what is not among them is 404, never a request; `data:` and `blob:` stay the browser's. */
export function fetchFrom(files: Files, base: string, native: typeof fetch): typeof fetch {
  return async (input, init) => {
    const address = input instanceof Request ? input.url : String(input);
    if (/^(data|blob):/.test(address)) return native(input, init);
    init?.signal?.throwIfAborted();
    const file = findFile(files, address, base);
    if (!file) return new Response(null, { status: 404 });
    const body = await bytesOf(file);
    init?.signal?.throwIfAborted();
    const headers = { 'content-type': file.media, 'content-length': String(body.byteLength) };
    const response = new Response(body, { status: 200, headers });
    // A reader of tiles resolves what a tileset names against the address that the answer came from.
    Object.defineProperty(response, 'url', { value: address });
    return response;
  };
}
