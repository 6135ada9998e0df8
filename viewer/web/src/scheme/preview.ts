/** The picture of a scheme for the card of a shared link: taken from the planner's own map when it is published. */
import { RequestFailed } from '../state/api';

export const PREVIEW_WIDTH = 1200;
export const PREVIEW_HEIGHT = 630;
const BYTES_MAX = 1_000_000;
const SMALLER = 0.8;
const WIDTH_MIN = 600;

/** What of a picture is shown when it must fill a frame of another shape: x, y, width, height. Pure. */
export function cover(width: number, height: number, frameWidth: number, frameHeight: number): readonly [number, number, number, number] {
  const scale = Math.min(width / frameWidth, height / frameHeight);
  const [w, h] = [frameWidth * scale, frameHeight * scale];
  return [(width - w) / 2, (height - h) / 2, w, h];
}

async function drawn(image: ImageBitmap, width: number): Promise<Blob> {
  const height = Math.round((width * PREVIEW_HEIGHT) / PREVIEW_WIDTH);
  const canvas = new OffscreenCanvas(width, height);
  const [x, y, w, h] = cover(image.width, image.height, width, height);
  canvas.getContext('2d')?.drawImage(image, x, y, w, h, 0, 0, width, height);
  return canvas.convertToBlob({ type: 'image/png' });
}

/** A picture of the map as a PNG that the server takes: smaller and smaller until it is light enough. */
export async function previewOf(picture: Blob): Promise<Blob> {
  const image = await createImageBitmap(picture);
  try {
    let width = PREVIEW_WIDTH;
    let made = await drawn(image, width);
    while (made.size > BYTES_MAX && width > WIDTH_MIN) {
      width = Math.round(width * SMALLER);
      made = await drawn(image, width);
    }
    return made;
  } finally {
    image.close();
  }
}

/** Give a scheme its picture; needs the planner's token. */
export async function sendPreview(scheme: string, picture: Blob, token: string): Promise<void> {
  const response = await fetch(`/api/v1/schemes/${encodeURIComponent(scheme)}/preview.png`, { method: 'PUT', headers: { 'authorization': `Bearer ${token}`, 'content-type': 'image/png' }, body: await previewOf(picture) });
  if (!response.ok) throw new RequestFailed(response.status === 401 ? 'planner-token' : 'picture-format', response.status);
}
