/** What happens on the upload page: files go out, jobs are followed, the state tells all of it. */
import { codeOf, wasAborted } from '../state/api';
import type { City } from '../state/model';
import { Store } from '../state/store';
import type { Lang } from '../i18n/index';
import type { Theme } from '../state/url';
import type { Sending, UploadApi } from './api';
import { planFault, planOf, type Chosen, type FilePlan } from './files';
import { changed, mappingDocument, type FieldRow } from './mapping';
import { ended, lookOf, NOTHING_SAID, type Job, type LayerMapping, type Look, type Said, type Upload } from './types';

export interface UploadState {
  readonly token: string | null;
  readonly tokenRefused: boolean;
  readonly lang: Lang;
  readonly theme: Theme;
  readonly city: City | null;
  /** Nothing is in the city yet: its title and time zone are asked for. */
  readonly emptyCity: boolean;
  readonly limits: { readonly bytes: number; readonly files: number };
  /** What was brought before and not taken in. */
  readonly waiting: readonly Upload[];
  readonly plan: FilePlan | null;
  readonly sending: { readonly sent: number; readonly total: number; readonly file: string; readonly number: number; readonly of: number } | null;
  readonly upload: Upload | null;
  readonly said: Said;
  /** Something was said since the last look. */
  readonly changed: boolean;
  readonly mapping: readonly { readonly layer: string; readonly mapping: LayerMapping }[] | null;
  readonly look: Job | null;
  readonly job: Job | null;
  readonly undo: Job | null;
  /** Something is being asked of the server. */
  readonly busy: boolean;
  readonly failed: string | null;
}

export const LIMITS = { bytes: 8e9, files: 5000 } as const;

export const initialUpload = (start: { readonly token: string | null; readonly lang: Lang; readonly theme: Theme }): UploadState => ({
  ...start, tokenRefused: false, city: null, emptyCity: false, limits: LIMITS, waiting: [], plan: null, sending: null, upload: null, said: NOTHING_SAID,
  changed: false, mapping: null, look: null, job: null, undo: null, busy: false, failed: null,
});

const POLL_MS = 1500;

export class UploadDesk {
  readonly store: Store<UploadState>;
  private now: Sending | null = null;
  private stopped = false;
  private timer: ReturnType<typeof setInterval> | null = null;

  constructor(state: UploadState, private readonly api: UploadApi, private readonly readCity: () => Promise<City>) {
    this.store = new Store(state);
  }

  get state(): UploadState {
    return this.store.get();
  }

  async start(): Promise<void> {
    // The live stream may be down: a job that runs is asked for too.
    this.timer ??= setInterval(() => void this.poll(), POLL_MS);
    await Promise.all([this.findCity(), this.findUploads()]);
  }

  stop(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }

  private async findCity(): Promise<void> {
    try {
      const city = await this.readCity();
      this.store.set({ city, emptyCity: city.baseline_version === 0 });
    } catch (error) {
      this.store.set({ emptyCity: codeOf(error) === 'city-empty' });
    }
  }

  private async findUploads(): Promise<void> {
    if (this.state.token === null) return;
    await this.ask(async () => {
      const { items, limits } = await this.api.uploads();
      this.store.set({ waiting: items, limits });
    });
  }

  setToken(token: string): void {
    this.store.set({ token, tokenRefused: false, failed: null });
    void this.findUploads();
  }

  /** Send what was dropped or chosen, one file after the other, and look at it. */
  async bring(chosen: readonly Chosen[]): Promise<void> {
    if (this.state.sending || this.state.token === null) return;
    const plan = planOf(chosen);
    const fault = planFault(plan, this.state.limits);
    this.store.set({ plan, failed: fault, upload: null, look: null, job: null, undo: null, said: NOTHING_SAID, mapping: null, changed: false });
    if (fault) return;
    this.stopped = false;
    let upload: Upload | null = null;
    let before = 0;
    try {
      for (const [i, { path, file }] of plan.files.entries()) {
        const told = (bytes: number): void => this.store.set({ sending: { sent: before + Math.min(bytes, file.size), total: plan.bytes, file: path, number: i + 1, of: plan.files.length } });
        told(0);
        this.now = this.api.send(file, path, upload?.id ?? null, told);
        upload = await this.now.done;
        before += file.size;
        if (this.stopped) throw new DOMException('stopped', 'AbortError');
      }
      this.store.set({ sending: null, upload });
    } catch (error) {
      // A part of a folder is no delivery.
      if (upload) await this.api.remove(upload.id).catch(() => undefined);
      this.store.set({ sending: null, upload: null, plan: null });
      if (!wasAborted(error)) this.fail(error);
      return;
    } finally {
      this.now = null;
    }
    await this.look();
  }

  stopSending(): void {
    this.stopped = true;
    this.now?.stop();
  }

  /** Go on with what was brought before. */
  async take(upload: Upload): Promise<void> {
    const { job } = upload;
    this.store.set({ upload, plan: null, look: job?.kind === 'preview' ? job : null, job: job?.kind === 'ingest' ? job : null, undo: null, said: NOTHING_SAID, mapping: null, changed: false, failed: null });
    if (job === null || (job.kind === 'preview' && ended(job) && job.state !== 'succeeded')) await this.look();
    else if (lookOf(job)) this.adopt(job);
  }

  async drop(id: string): Promise<void> {
    await this.ask(() => this.api.remove(id));
    if (this.state.upload?.id === id) this.again();
    await this.findUploads();
  }

  /** Back to the beginning, with nothing in hand. */
  again(): void {
    this.store.set({ upload: null, plan: null, look: null, job: null, undo: null, said: NOTHING_SAID, mapping: null, changed: false, failed: null });
    void this.findUploads();
  }

  say(patch: Partial<Said>): void {
    this.store.set({ said: { ...this.state.said, ...patch }, changed: true, failed: null });
  }

  /** One choice of a layer's mapping. */
  map(layer: string, change: { readonly type?: string; readonly id?: string; readonly field?: FieldRow }): void {
    const mapping = (this.state.mapping ?? []).map((one) => (one.layer === layer ? { layer, mapping: changed(one.mapping, change) } : one));
    this.store.set({ mapping });
    this.say({ mapping: mappingDocument(mapping) });
  }

  /** Read it through without storing anything. */
  async look(): Promise<void> {
    const { upload, said } = this.state;
    if (!upload) return;
    await this.ask(async () => this.store.set({ look: await this.api.look(upload.id, said), changed: false, job: null }));
  }

  async ingest(): Promise<void> {
    const { upload, said } = this.state;
    if (!upload) return;
    await this.ask(async () => this.store.set({ job: await this.api.ingest(upload.id, said) }));
  }

  async cancel(): Promise<void> {
    const { upload } = this.state;
    if (upload) await this.ask(() => this.api.cancel(upload.id));
  }

  async takeBack(): Promise<void> {
    const { job } = this.state;
    if (job) await this.ask(async () => this.store.set({ undo: await this.api.undo(job.id) }));
  }

  /** A job as it stands now: told by the live stream, or asked for. */
  heard(job: Job): void {
    const { look, job: ingest, undo } = this.state;
    // The live stream does not tell everybody what a look found: that is asked for.
    if (job.id === look?.id && job.state === 'succeeded' && !lookOf(job)) void this.ask(async () => this.adopt(await this.api.job(job.id)));
    else if (job.id === look?.id) this.adopt(job);
    else if (job.id === ingest?.id) {
      this.store.set({ job });
      if (job.state === 'succeeded') void this.findCity();
    } else if (job.id === undo?.id) {
      this.store.set({ undo: job });
      if (job.state === 'succeeded') void this.findCity();
    }
  }

  /** What a look understood is where editing begins, unless somebody has said otherwise. */
  private adopt(job: Job): void {
    const found: Look | null = lookOf(job);
    const read = found && this.state.said.mapping === null ? found.layers.map(({ layer, mapping }) => ({ layer, mapping })) : this.state.mapping;
    this.store.set({ look: job, mapping: read });
  }

  private async poll(): Promise<void> {
    const running = [this.state.look, this.state.job, this.state.undo].filter((job): job is Job => job !== null && !ended(job));
    for (const { id } of running) {
      try {
        this.heard(await this.api.job(id));
      } catch {
        // The next time, or by the live stream.
      }
    }
  }

  private async ask(work: () => Promise<void>): Promise<void> {
    this.store.set({ busy: true, failed: null });
    try {
      await work();
    } catch (error) {
      this.fail(error);
    } finally {
      this.store.set({ busy: false });
    }
  }

  private fail(error: unknown): void {
    const code = codeOf(error);
    if (code === 'planner-token') this.store.set({ token: null, tokenRefused: true });
    else this.store.set({ failed: code });
  }
}
