declare module 'swagger-ui-dist/swagger-ui-es-bundle.js' {
  /** Only the options that the page uses. */
  export default function SwaggerUI(options: {
    readonly domNode: HTMLElement;
    readonly url: string;
    readonly validatorUrl: null;
    readonly deepLinking: boolean;
    readonly tryItOutEnabled: boolean;
    readonly supportedSubmitMethods: readonly string[];
  }): unknown;
}
