/** The window that every dialog of the page stands in. */
import { html, type TemplateResult } from 'lit';
import { ref } from 'lit/directives/ref.js';
import { t } from '../i18n/index';
import { icon } from '../ui/icons';

/** Opens as a modal window when it is drawn; Escape and the cross close it. */
const modal = (element: Element | undefined): void => {
  const dialog = element as HTMLDialogElement | undefined;
  if (dialog && !dialog.open && dialog.isConnected) dialog.showModal();
  else if (dialog && !dialog.open) requestAnimationFrame(() => { if (dialog.isConnected && !dialog.open) dialog.showModal(); });
};

export function frame(title: string, testid: string, close: () => void, body: unknown, wide = false): TemplateResult {
  return html`<dialog class="dialog ${wide ? 'wide' : ''}" data-testid=${testid} aria-label=${title} ${ref(modal)} @cancel=${(e: Event) => { e.preventDefault(); close(); }}>
    <div class="ph"><h2 class="grow">${title}</h2><button type="button" class="btn quiet sm ico" aria-label=${t('panel.close')} @click=${close}>${icon('x', 's')}</button></div>
    ${body}
  </dialog>`;
}
