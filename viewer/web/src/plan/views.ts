import { html, type TemplateResult } from 'lit';
import { t } from '../i18n/index';
import { icon } from '../ui/icons';
import type { PlanCtx } from './context';
import { frame } from './dialog-frame';
import type { JoiningDesk } from './joining';
import { withView, writeViews } from './link';

/** Named places: what the address holds, under a name, in this browser. */
export function viewsDialog(ctx: PlanCtx, desk: JoiningDesk): TemplateResult {
  const put = (views: typeof ctx.s.views): void => {
    writeViews(views, ctx.do.doors.kept);
    ctx.do.store.set({ views });
  };
  const save = (event: Event): void => {
    event.preventDefault();
    const input = (event.target as HTMLFormElement).elements.namedItem('name') as HTMLInputElement;
    const name = input.value.trim();
    const link = ctx.city.do.link('/plan');
    if (name) put(withView(ctx.s.views, { name: name.slice(0, 80), query: link.slice(link.indexOf('?') + 1) }));
    input.value = '';
  };
  return frame(t('plan.views'), 'dialog-views', desk.close, html`<div class="dform">
    <form class="row" @submit=${save}><input class="field grow" name="name" data-testid="view-name" maxlength="80" required aria-label=${t('plan.views.name')} placeholder=${t('plan.views.name')}><button type="submit" class="btn pri">${t('plan.save')}</button></form>
    ${ctx.s.views.length === 0 ? html`<p class="mid">${t('plan.views.none')}</p>` : html`<ul>${ctx.s.views.map((view) => html`<li class="row viewrow"><a class="link grow trunc" href="/plan?${view.query}">${view.name}</a><button type="button" class="btn quiet sm ico" aria-label=${t('plan.views.delete', { name: view.name })} @click=${() => put(ctx.s.views.filter((v) => v.name !== view.name))}>${icon('x', 's')}</button></li>`)}</ul>`}
  </div>`);
}
