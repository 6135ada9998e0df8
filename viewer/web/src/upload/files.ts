/** What was dropped or chosen, before any of it is sent. Pure but for reading folders. */
export interface Chosen {
  readonly path: string;
  readonly file: File;
}

export interface FilePlan {
  readonly files: readonly Chosen[];
  /** Names of what is not sent: empty files, and those that systems leave in folders. */
  readonly skipped: readonly string[];
  readonly bytes: number;
}

const SYSTEM = /(^|\/)(\.|__MACOSX(\/|$)|Thumbs\.db$|desktop\.ini$)/i;

/** The files that are worth sending, in the order of their names. */
export function planOf(chosen: readonly Chosen[]): FilePlan {
  const sound = (c: Chosen): boolean => !SYSTEM.test(c.path) && c.file.size > 0;
  const files = chosen.filter(sound).sort((a, b) => a.path.localeCompare(b.path, 'en'));
  return { files, skipped: chosen.filter((c) => !sound(c)).map((c) => c.path), bytes: files.reduce((sum, c) => sum + c.file.size, 0) };
}

/** Why a plan cannot be sent, before it is tried; null where nothing speaks against it. */
export function planFault(plan: FilePlan, limits: { readonly bytes: number; readonly files: number }): 'upload-empty' | 'upload-bytes' | 'upload-files' | null {
  if (plan.files.length === 0) return 'upload-empty';
  if (plan.bytes > limits.bytes) return 'upload-bytes';
  return plan.files.length > limits.files ? 'upload-files' : null;
}

/** Files of an input: those of a folder tell their path in it. */
export const chosenOf = (list: Iterable<File>): Chosen[] => [...list].map((file) => ({ path: (file as File & { webkitRelativePath?: string }).webkitRelativePath || file.name, file }));

/** Files and folders that were dropped. What the event holds has to be taken before it ends. */
export async function droppedOf(transfer: DataTransfer): Promise<Chosen[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter((entry): entry is FileSystemEntry => !!entry);
  if (entries.length === 0) return chosenOf(transfer.files);
  const found: Chosen[] = [];
  for (const entry of entries) await walk(entry, found);
  return found;
}

async function walk(entry: FileSystemEntry, found: Chosen[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    found.push({ path: entry.fullPath.replace(/^\//, ''), file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader gives a part at a time, and an empty one at the end.
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return;
    for (const one of part) await walk(one, found);
  }
}

const STEPS = ['B', 'kB', 'MB', 'GB'] as const;

/** Bytes for a reader, three digits at most. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let step = 0;
  while (value >= 999.5 && step < STEPS.length - 1) {
    value /= 1000;
    step++;
  }
  const digits = step === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${STEPS[step] ?? 'B'}`;
}
