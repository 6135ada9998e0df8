/** The one script of an exported page; runs from `file://`, asks nobody for anything. */
import '../ui/tokens.css';
import '../ui/base.css';
import '../ui/explore.css';
import './export.css';
import { preferences } from '../pages/boot';
import { readLink } from '../state/url';
import { readDocument } from './document';
import { fetchFrom, filesIn } from './inlined';
import { ExportPage } from './page';
import { say } from './words';

function begin(): void {
  const { theme } = preferences(readLink(location.search));
  if (!('DecompressionStream' in globalThis)) {
    document.body.textContent = say('old');
    return;
  }
  // The map loads tiles and features by `fetch`: the same code draws them, from memory.
  globalThis.fetch = fetchFrom(filesIn(document), document.baseURI, globalThis.fetch.bind(globalThis));
  customElements.define('cim-export', ExportPage);
  document.body.append(new ExportPage(readDocument(document), theme));
}

begin();
