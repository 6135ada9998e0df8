import '../ui/tokens.css';
import '../ui/base.css';
import '../ui/explore.css';
import '../ui/phone.css';
import '../ui/schemes.css';
import '../scheme/compare.css';
import { liveAddress } from '../live/socket';
import { CityMap } from '../map/city-map';
import { sunPosition, sunTimes } from '../map/sun';
import { SchemeApi } from '../scheme/api';
import { SchemeShow } from '../scheme/show';
import { initialShow } from '../scheme/show-state';
import { httpApi } from '../state/api';
import { Explore } from '../state/explore';
import { initialState } from '../state/explore-state';
import { readLink } from '../state/url';
import { CimApp } from '../ui/app';
import { keep, preferences } from './boot';

const link = readLink(location.search);
const chosen = preferences(link);
const start = initialState(link, { ...chosen, now_ms: Date.now(), phone: innerWidth < 900, narrow: innerWidth < 1180 });
const explore = new Explore(start, httpApi, { direction: sunPosition, times: sunTimes }, liveAddress(location), link.lang !== undefined);
explore.store.subscribe((now, before) => {
  if (now.lang !== before.lang) keep({ lang: now.lang });
  if (now.theme !== before.theme) keep({ theme: now.theme });
});

const app = new CimApp();
app.explore = explore;
app.api = httpApi;
app.show = new SchemeShow(initialShow(link.schemes, start.phone), new SchemeApi(() => null), explore);
app.createMap = (container, callbacks, options) => new CityMap(container, { ...callbacks, ...options });
document.body.replaceChildren(app);
