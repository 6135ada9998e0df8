/** The server's answers about uploads. A file is sent by XMLHttpRequest, which tells how far it has come. */
import { RequestFailed } from '../state/api';
import type { Job, Said, Upload, Uploads } from './types';

export interface Sending {
  readonly done: Promise<Upload>;
  stop(): void;
}

export interface UploadApi {
  uploads(): Promise<Uploads>;
  upload(id: string): Promise<Upload>;
  remove(id: string): Promise<void>;
  /** Send one file; `sent` is told of its bytes. */
  send(file: Blob, name: string, upload: string | null, sent: (bytes: number) => void): Sending;
  look(id: string, said: Said): Promise<Job>;
  ingest(id: string, said: Said): Promise<Job>;
  cancel(id: string): Promise<void>;
  job(id: string): Promise<Job>;
  undo(job: string): Promise<Job>;
}

/** Only what was said is sent. */
export function saidBody(said: Said): Record<string, unknown> {
  const words = Object.entries(said).filter(([name, value]) => value !== '' && value !== null && !(name === 'policy' && value === 'keep'));
  return Object.fromEntries(words);
}

const codeIn = (text: string): string => {
  try {
    const { code } = JSON.parse(text) as { code?: unknown };
    return typeof code === 'string' ? code : 'internal';
  } catch {
    return 'internal';
  }
};

export class HttpUploads implements UploadApi {
  constructor(private readonly token: () => string | null, private readonly author: () => string = () => '') {}

  uploads = (): Promise<Uploads> => this.ask('GET', '/uploads');
  upload = (id: string): Promise<Upload> => this.ask('GET', `/uploads/${id}`);
  remove = (id: string): Promise<void> => this.ask('DELETE', `/uploads/${id}`);
  look = (id: string, said: Said): Promise<Job> => this.ask('POST', `/uploads/${id}/preview`, saidBody(said));
  ingest = (id: string, said: Said): Promise<Job> => this.ask('POST', `/uploads/${id}/ingest`, saidBody(said));
  cancel = (id: string): Promise<void> => this.ask('POST', `/uploads/${id}/cancel`);
  job = (id: string): Promise<Job> => this.ask('GET', `/jobs/${encodeURIComponent(id)}`);
  undo = (job: string): Promise<Job> => this.ask('POST', `/jobs/${encodeURIComponent(job)}/undo`);

  send(file: Blob, name: string, upload: string | null, sent: (bytes: number) => void): Sending {
    const request = new XMLHttpRequest();
    const query = new URLSearchParams({ name, ...(upload ? { upload } : {}) });
    request.open('POST', `/api/v1/uploads?${query}`);
    for (const [header, value] of Object.entries(this.headers())) request.setRequestHeader(header, value);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.onprogress = (event) => sent(event.loaded);
    const done = new Promise<Upload>((resolve, reject) => {
      request.onload = () => (request.status === 201 ? resolve(JSON.parse(request.responseText) as Upload) : reject(new RequestFailed(codeIn(request.responseText), request.status)));
      // A server that refuses early closes the connection while the file is still being sent.
      request.onerror = () => reject(new RequestFailed('unreachable', 0));
      request.onabort = () => reject(new DOMException('stopped', 'AbortError'));
    });
    request.send(file);
    return { done, stop: () => request.abort() };
  }

  private headers(): Record<string, string> {
    const token = this.token();
    const author = this.author();
    return { accept: 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}), ...(author ? { 'cim-author': encodeURIComponent(author) } : {}) };
  }

  private async ask<T>(method: string, path: string, body?: object): Promise<T> {
    let response: Response;
    try {
      response = await fetch(`/api/v1${path}`, { method, headers: { ...this.headers(), ...(body ? { 'content-type': 'application/json' } : {}) }, ...(body ? { body: JSON.stringify(body) } : {}) });
    } catch {
      throw new RequestFailed('unreachable', 0);
    }
    if (!response.ok) throw new RequestFailed(codeIn(await response.text()), response.status);
    return (response.status === 204 ? null : await response.json()) as T;
  }
}
