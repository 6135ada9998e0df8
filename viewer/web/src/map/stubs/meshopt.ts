/**
 * Stands in for `meshoptimizer/decoder`, which starts WebAssembly as soon as it is loaded: the pages' content
 * security policy refuses that, and this server's tiles are not compressed so.
 */
const refuse = (): never => {
  throw new Error('meshopt_not_supported');
};

export const MeshoptDecoder = {
  supported: false,
  ready: Promise.resolve(),
  decodeVertexBuffer: refuse,
  decodeIndexBuffer: refuse,
  decodeIndexSequence: refuse,
  decodeGltfBuffer: refuse,
};
