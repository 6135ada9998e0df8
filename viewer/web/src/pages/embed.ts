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
import { preferences } from './boot';

const asked = readLink(location.search);
// Live values belong to the page of the city, not to a scheme in somebody's article.
const link = { ...asked, layers: { sensors: false, ...asked.layers } };
const chosen = preferences(link);
const start = initialState(link, { ...chosen, now_ms: Date.now(), phone: false, narrow: true });
const explore = new Explore(start, httpApi, { direction: sunPosition, times: sunTimes }, liveAddress(location), link.lang !== undefined);

const app = new CimApp();
app.explore = explore;
app.api = httpApi;
app.bare = true;
app.show = new SchemeShow(initialShow(link.schemes, innerWidth < 480), new SchemeApi(() => null), explore);
app.createMap = (container, callbacks, options) => new CityMap(container, { ...callbacks, ...options });
document.body.replaceChildren(app);
