import { html, nothing, type TemplateResult } from 'lit';
import { parseWithin } from './shape/entry';

export interface NumberField {
  readonly label: string;
  readonly value: number | null;
  readonly unit?: string;
  readonly min: number;
  readonly max: number;
  readonly digits?: number;
  readonly testid?: string;
  readonly disabled?: boolean;
  readonly placeholder?: string;
  /** A number within bounds was typed and taken by Enter or by leaving the field. */
  readonly set: (value: number) => void;
}

const shown = (value: number | null, digits: number): string => (value === null ? '' : String(Number(value.toFixed(digits))));

/** A number and its unit. What is no number, or out of bounds, is not taken, and the field says so. */
export function numberField(f: NumberField): TemplateResult {
  const text = shown(f.value, f.digits ?? 1);
  const take = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    const value = parseWithin(input.value, f.min, f.max);
    const wrong = value === null && input.value.trim() !== '';
    input.setAttribute('aria-invalid', String(wrong));
    if (value !== null && shown(value, f.digits ?? 1) !== text) f.set(value);
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') {
      event.stopPropagation();  // The browser says `change` by itself; a second taking would be a second edit.
    } else if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
      const by = (event.key === 'ArrowUp' ? 1 : -1) * (f.digits === 0 ? 1 : event.shiftKey ? 0.1 : 1);
      const value = parseWithin((event.target as HTMLInputElement).value, f.min, f.max);
      if (value === null) return;
      event.preventDefault();
      f.set(Math.min(f.max, Math.max(f.min, Number((value + by).toFixed(3)))));
    }
  };
  return html`<label class="nf"><span class="xs mid">${f.label}</span><span class="nfbox"><input class="field" inputmode="decimal" autocomplete="off" data-testid=${f.testid ?? nothing} ?disabled=${f.disabled ?? false} placeholder=${f.placeholder ?? nothing} .value=${text} @change=${take} @keydown=${key}>${f.unit ? html`<span class="xs dim">${f.unit}</span>` : nothing}</span></label>`;
}

export interface ChoiceField<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (readonly [T, string])[];
  readonly testid?: string;
  readonly disabled?: boolean;
  readonly set: (value: T) => void;
}

export function choiceField<T extends string>(f: ChoiceField<T>): TemplateResult {
  return html`<label class="nf"><span class="xs mid">${f.label}</span><select class="field" data-testid=${f.testid ?? nothing} ?disabled=${f.disabled ?? false} @change=${(e: Event) => f.set((e.target as HTMLSelectElement).value as T)}>
    ${f.options.map(([value, text]) => html`<option value=${value} .selected=${value === f.value}>${text}</option>`)}
  </select></label>`;
}
