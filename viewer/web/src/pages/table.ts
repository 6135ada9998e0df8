import '../ui/tokens.css';
import '../ui/base.css';
import '../ui/table.css';
import { httpApi } from '../state/api';
import { recallInView } from '../state/in-view';
import { readLink } from '../state/url';
import { CimTable } from '../ui/table-app';
import { keep, preferences } from './boot';

const link = readLink(location.search);
const chosen = preferences(link);
const table = new CimTable();
table.api = httpApi;
table.link = link;
table.langNow = chosen.lang;
table.theme = chosen.theme;
table.inView = recallInView(link.bbox);
table.keep = keep;
document.body.replaceChildren(table);
