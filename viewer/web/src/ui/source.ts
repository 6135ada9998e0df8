import { html, nothing, type TemplateResult } from 'lit';
import { t, type MessageKey } from '../i18n/index';
import { dayAndClock } from '../i18n/format';
import type { Attribute, Provenance } from '../state/model';

/** Where a fact comes from: its source, method, file, licence and reader. */
export function sourceBlock(attribute: Attribute, provenance: Provenance | undefined, zone: string): TemplateResult {
  const row = (key: MessageKey, value: string): TemplateResult => html`<div><dt>${t(key)}</dt><dd>${value}</dd></div>`;
  return html`<dl class="source" id="source-${attribute.name}">
    ${row('info.source', provenance?.title ?? attribute.source)}
    ${attribute.method ? row('info.method', attribute.method) : nothing}
    ${provenance ? html`${row('info.file', provenance.source_file)}${row('info.licence', provenance.licence)}${row('info.reader', `${provenance.reader} ${provenance.reader_version}`.trim())}${row('info.readAt', dayAndClock(new Date(provenance.read_at), zone))}` : nothing}
  </dl>`;
}
