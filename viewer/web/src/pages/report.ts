import '../ui/tokens.css';
import '../ui/base.css';
import '../ui/schemes.css';
import '../scheme/compare.css';
import '../report/report.css';
import { t } from '../i18n/index';
import { readReport } from '../report/read';
import { CimReport } from '../report/report';
import { SchemeApi } from '../scheme/api';
import { httpApi } from '../state/api';
import { readLink } from '../state/url';
import { guarded, takeToken } from '../plan/token';
import { preferences } from './boot';

// Paper is light: a report is what will be printed.
preferences({ ...readLink(location.search), theme: 'light' });
document.title = t('report.title');
document.body.className = 'reading';
const token = takeToken(location, guarded(() => sessionStorage), (url) => history.replaceState(null, '', url));
const page = new CimReport();
document.body.replaceChildren(page);
try {
  await page.draw(await readReport(location.search, new SchemeApi(() => token), httpApi, Date.now()));
} catch {
  page.failed = true;
  document.documentElement.dataset['ready'] = 'failed';
}
