/** The server's answers about schemes. Writing needs the planner's token. */
import { RequestFailed } from '../state/api';
import type {
  Comparison, Conflict, Edit, EditAnswer, Finding, IndicatorInfo, Json, Light, Massing, MergeAnswer, Reading, Scheme, SchemeObjects, Words,
} from './types';

/** A refused edit or an edit that no longer fits: the ground says why. */
export class EditRefused extends RequestFailed {
  constructor(
    code: string,
    status: number,
    readonly findings: readonly Finding[],
    readonly conflicts: readonly Conflict[],
  ) {
    super(code, status);
  }
}

export interface EditRequest {
  readonly kind: string;
  readonly target?: string;
  readonly params: Readonly<Record<string, Json>>;
  readonly phase_year?: number;
  readonly expect?: Readonly<Record<string, Json>>;
}

export type Choices = Readonly<Record<string, 'ours' | 'theirs'>>;

export class SchemeApi {
  constructor(
    private readonly token: () => string | null,
    private readonly newKey: () => string = () => crypto.randomUUID(),
    private readonly author: () => string = () => '',
  ) {}

  schemes = async (): Promise<readonly Scheme[]> => (await this.ask<{ items: Scheme[] }>('GET', '/schemes')).items;
  scheme = (id: string): Promise<Scheme> => this.ask('GET', `/schemes/${id}`);
  create = (name: Words, parent: string): Promise<Scheme> => this.ask('POST', '/schemes', { name, parent });
  rename = (id: string, patch: Partial<Pick<Scheme, 'name' | 'summary' | 'letter' | 'tour'>>): Promise<Scheme> => this.ask('PATCH', `/schemes/${id}`, patch);
  edits = async (id: string): Promise<readonly Edit[]> => (await this.ask<{ items: Edit[] }>('GET', `/schemes/${id}/edits`)).items;
  /** The same key twice is the same edit: what was sent and not heard of may be sent again. */
  edit = (id: string, edit: EditRequest, key?: string): Promise<EditAnswer> => this.ask('POST', `/schemes/${id}/edits`, edit, key);
  try = (id: string, edit: EditRequest): Promise<EditAnswer> => this.ask('POST', `/schemes/${id}/edits?dry_run=true`, edit);
  undo = (id: string, sequence?: number): Promise<EditAnswer> => this.ask('POST', `/schemes/${id}/undo`, sequence === undefined ? {} : { sequence });
  redo = (id: string, sequence?: number): Promise<EditAnswer> => this.ask('POST', `/schemes/${id}/redo`, sequence === undefined ? {} : { sequence });
  objects = (id: string, at?: { sequence?: number; phase?: number }): Promise<SchemeObjects> =>
    this.ask('GET', `/schemes/${id}/objects${queryOf({ at: at?.sequence, phase: at?.phase })}`);
  impact = (id: string, against: string): Promise<{ sequence: number; items: readonly Reading[] }> =>
    this.ask('GET', `/schemes/${id}/impact?against=${encodeURIComponent(against)}`);
  findings = async (id: string): Promise<readonly Finding[]> => (await this.ask<{ items: Finding[] }>('GET', `/schemes/${id}/findings`)).items;
  light = (id: string): Promise<Light> => this.ask('GET', `/schemes/${id}/light`);
  diff = (id: string, against: string): Promise<{ items: readonly { target: string; type: string; field: string; before: Json; after: Json }[] }> =>
    this.ask('GET', `/schemes/${id}/diff?against=${encodeURIComponent(against)}`);
  merge = (id: string, from: string, choices: Choices): Promise<MergeAnswer> => this.ask('POST', `/schemes/${id}/merge`, { from, choices });
  rebase = (id: string, choices: Choices): Promise<MergeAnswer> => this.ask('POST', `/schemes/${id}/rebase`, { choices });
  /** What the newest baseline contradicts; nothing is written. */
  contradictions = async (id: string): Promise<readonly Conflict[]> => (await this.ask<MergeAnswer>('POST', `/schemes/${id}/rebase?dry_run=true`, { choices: {} })).conflicts;
  publish = (id: string): Promise<{ version: number }> => this.ask('POST', `/schemes/${id}/publish`, {});
  withdraw = (id: string): Promise<Scheme> => this.ask('POST', `/schemes/${id}/withdraw`, {});
  indicators = async (): Promise<readonly IndicatorInfo[]> => (await this.ask<{ items: IndicatorInfo[] }>('GET', '/indicators')).items;
  massings = async (): Promise<readonly Massing[]> => (await this.ask<{ items: Massing[] }>('GET', '/massings')).items;
  compare = (ids: readonly string[]): Promise<Comparison> => this.ask('GET', `/compare?schemes=${ids.map(encodeURIComponent).join(',')}`);
  upload = (model: Blob): Promise<{ id: string; triangles: number; height_m: number; bbox_m?: readonly number[] }> => this.ask('POST', '/models', model);

  greet = (id: string, who: string, selection: readonly string[]): Promise<null> => this.ask('PUT', `/schemes/${id}/presence`, { who, selection });

  private async ask<T>(method: string, path: string, body?: object, key?: string): Promise<T> {
    const token = this.token();
    const headers: Record<string, string> = { accept: 'application/json' };
    if (token) headers['authorization'] = `Bearer ${token}`;
    if (method === 'POST') headers['idempotency-key'] = key ?? this.newKey();
    // A header is bytes, a name is text.
    if (method !== 'GET' && this.author()) headers['cim-author'] = encodeURIComponent(this.author());
    if (body && !(body instanceof Blob)) headers['content-type'] = 'application/json';
    const payload = body === undefined ? {} : { body: body instanceof Blob ? body : JSON.stringify(body) };
    let response: Response;
    try {
      response = await fetch(`/api/v1${path}`, { method, headers, ...payload });
    } catch {
      throw new RequestFailed('unreachable', 0);
    }
    if (response.ok) return (response.status === 204 ? null : await response.json()) as T;
    const problem = (await response.json().catch(() => ({}))) as { code?: unknown; findings?: Finding[]; conflicts?: Conflict[] };
    const code = typeof problem.code === 'string' ? problem.code : 'internal';
    if (problem.findings || problem.conflicts) throw new EditRefused(code, response.status, problem.findings ?? [], problem.conflicts ?? []);
    throw new RequestFailed(code, response.status);
  }
}

function queryOf(members: Readonly<Record<string, number | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(members)) if (value !== undefined) query.set(name, String(value));
  const text = query.toString();
  return text ? `?${text}` : '';
}
