import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../i18n/index';
import type { MapFailure } from '../state/explore-state';
import { icon } from './icons';

/** What stands in place of a map that is not there, and the way on. */
export function mapFailed(why: MapFailure | null, table: string): TemplateResult | typeof nothing {
  if (why === null) return nothing;
  const again = html`<button class="btn pri" data-testid="map-again" @click=${() => { location.reload(); }}>${icon('city')}${t('map.again')}</button>`;
  const other = html`<a class="btn pri" href=${table}>${icon('table')}${t('map.openTable')}</a>`;
  return html`<div class="mapfail" role="alert"><p>${t(why === 'lost' ? 'map.lost' : 'map.failed')}</p>${why === 'lost' ? again : other}</div>`;
}
