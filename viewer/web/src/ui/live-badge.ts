import { html, type TemplateResult } from 'lit';
import { t } from '../i18n/index';
import { age, number } from '../i18n/format';
import type { LiveState } from '../live/machine';
import { mark, type Mark } from './icons';

/** What the badge says, and the shape and colour it says it in. */
export function badgeOf(live: LiveState, now_ms: number, zone: string): { readonly mark: Mark; readonly text: string } {
  const last = live.lastValue_ms === null ? null : age(live.lastValue_ms, now_ms, zone);
  switch (live.status) {
    case 'live':
      return { mark: 'pass', text: live.lag_ms === null || live.lag_ms < 50 ? t('live.live') : t('live.behind', { s: number(live.lag_ms / 1000, 1) }) };
    case 'catching-up':
      return { mark: 'info', text: t('live.catchingUp', { n: number(live.missed) }) };
    case 'reconnecting':
      return { mark: 'discuss', text: last ? t('live.reconnectingAge', { age: last }) : t('live.reconnecting') };
    case 'offline':
      return { mark: 'stale', text: last ? t('live.offlineAge', { age: last }) : t('live.offline') };
    case 'connecting':
      return { mark: 'stale', text: t('live.connecting') };
  }
}

export function liveBadge(live: LiveState, now_ms: number, zone: string): TemplateResult {
  const badge = badgeOf(live, now_ms, zone);
  const dot = badge.mark === 'pass' ? html`<svg class="dot" viewBox="0 0 8 8" aria-hidden="true"><circle cx="4" cy="4" r="4" fill="currentColor"/></svg>` : mark(badge.mark, 'xs');
  return html`<span class="tag badge ${badge.mark}" data-testid="live-badge" data-status=${live.status}>${dot}<span class="trunc">${badge.text}</span></span>`;
}
