import '../ui/tokens.css';
import '../ui/base.css';
import '../ui/explore.css';
import '../scheme/compare.css';
import '../plan/plan.css';
import { liveAddress } from '../live/socket';
import { CityMap } from '../map/city-map';
import { sunPosition, sunTimes } from '../map/sun';
import { httpApi } from '../state/api';
import { initialState } from '../state/explore-state';
import { readLink } from '../state/url';
import { SchemeApi } from '../scheme/api';
import { Bench } from '../plan/bench';
import { CimPlan } from '../plan/app';
import { PlanCity } from '../plan/city';
import { Ground } from '../plan/ground';
import { readPlanLink, readViews } from '../plan/link';
import { readUnsent } from '../plan/outbox';
import { Plan } from '../plan/plan';
import { initialPlan } from '../plan/plan-state';
import { authorOf, guarded, takeToken } from '../plan/token';
import { TOOL_MAKERS } from '../plan/tools/all';
import { keep, preferences } from './boot';

const tab = guarded(() => sessionStorage);
const kept = guarded(() => localStorage);
const token = takeToken(location, tab, (url) => history.replaceState(null, '', url));
const asked = readLink(location.search);
// Live values are what a plan is not about; a link or a click shows them.
const link = { ...asked, layers: { sensors: false, ...asked.layers } };
const chosen = preferences(link);
const address = liveAddress(location);

const city = new PlanCity(initialState(link, { ...chosen, now_ms: Date.now(), phone: innerWidth < 900, narrow: innerWidth < 1180 }), httpApi, { direction: sunPosition, times: sunTimes }, address, link.lang !== undefined);
city.store.subscribe((now, before) => {
  if (now.lang !== before.lang) keep({ lang: now.lang });
  if (now.theme !== before.theme) keep({ theme: now.theme });
});

const start = initialPlan(readPlanLink(location.search), { token, author: authorOf(kept), views: readViews(kept), unsent: readUnsent(tab) });
const api: SchemeApi = new SchemeApi(() => plan.state.token, () => crypto.randomUUID(), () => plan.state.author);
const plan: Plan = new Plan(start, city, { api, liveAddress: address, tab, kept, who: crypto.randomUUID() });
const bench = new Bench(plan, new Ground(plan, httpApi), TOOL_MAKERS);

const app = new CimPlan();
app.plan = plan;
app.bench = bench;
app.createMap = (container, callbacks, options) => new CityMap(container, { ...callbacks, ...options });
document.body.replaceChildren(app);
