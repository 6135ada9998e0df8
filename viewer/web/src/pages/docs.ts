import 'swagger-ui-dist/swagger-ui.css';
import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';
import { t } from '../i18n/index';
import { preferences } from './boot';

preferences({ layers: {}, colourBy: null, selection: null, sun: null, theme: 'light' });
document.title = t('docs.title');
const root = document.createElement('main');
root.id = 'docs';
document.body.replaceChildren(root);
// No validator: it would be a request to another host.
SwaggerUI({ domNode: root, url: '/openapi.json', validatorUrl: null, deepLinking: true, tryItOutEnabled: false, supportedSubmitMethods: ['get'] });
