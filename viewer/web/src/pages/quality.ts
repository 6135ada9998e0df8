import '../ui/tokens.css';
import '../ui/base.css';
import '../report/report.css';
import '../quality/quality.css';
import { t } from '../i18n/index';
import { CimQuality } from '../quality/quality';
import { jobOf, readQuality } from '../quality/read';
import { readLink } from '../state/url';
import { preferences } from './boot';

preferences(readLink(location.search));
document.title = t('delivery.title');
document.body.className = 'reading';
const page = new CimQuality();
document.body.replaceChildren(page);
const job = jobOf(location.pathname);
try {
  if (job === null) throw new Error('no job in the path');
  const { report, city } = await readQuality(job);
  page.city = city;
  page.report = report;
  await page.updateComplete;
  document.documentElement.dataset['ready'] = 'true';
} catch {
  page.failed = true;
  document.documentElement.dataset['ready'] = 'failed';
}
