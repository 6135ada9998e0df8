import '../ui/tokens.css';
import '../ui/base.css';
import '../upload/upload.css';
import { LiveSocket, liveAddress } from '../live/socket';
import { t } from '../i18n/index';
import { CityMap } from '../map/city-map';
import { authorOf, guarded, keepToken, takeToken } from '../plan/token';
import { httpApi } from '../state/api';
import { readLink } from '../state/url';
import { HttpUploads } from '../upload/api';
import { CimUpload } from '../upload/app';
import { initialUpload, UploadDesk } from '../upload/desk';
import type { Job } from '../upload/types';
import { preferences } from './boot';

const tab = guarded(() => sessionStorage);
const token = takeToken(location, tab, (url) => history.replaceState(null, '', url));
const chosen = preferences(readLink(location.search));
document.title = t('upload.title');

const api: HttpUploads = new HttpUploads(() => desk.state.token, () => authorOf(guarded(() => localStorage)));
const desk: UploadDesk = new UploadDesk(initialUpload({ token, ...chosen }), api, () => httpApi.city());
new LiveSocket(liveAddress(location), ['jobs'], {
  onState: () => undefined,
  onItems: (_topic, items) => { for (const item of items) desk.heard(item as Job); },
  onEvent: () => undefined,
  onEpoch: () => undefined,
}).start();

const page = new CimUpload();
page.desk = desk;
page.readSpec = () => httpApi.view('explore');
page.keepToken = (value) => keepToken(value, tab);
page.createMap = (container, callbacks, options) => new CityMap(container, { ...callbacks, ...options });
document.body.replaceChildren(page);
