import { codeBox, dataTable, markup, type Markup } from '../../page/index.js';

/** The members of an OpenAPI document that the reference page needs. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

/** One method of one path. */
export interface OpenApiOperation {
  readonly summary: string;
  readonly description: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema?: { readonly description?: string };
    readonly description?: string;
  }[];
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
  /** The security requirement; present if a request needs a token. */
  readonly security?: readonly object[];
}

const example = `curl -s -H 'content-type: application/json' -d '{"domain":"example.com"}' ORIGIN/api/v1/checks`;

/** Returns the reference page of the API, generated from the OpenAPI document. */
export function apiPage({ paths }: OpenApiDocument, origin: string): Markup {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => section(method, path, operation)),
  );
  return markup`<div class="text">
      <h1>API</h1>
      <p class="lead">Programs can start checks, follow them, and read results and evidence without an account. The limits of the pages apply. Other requests need a token.</p>
      ${codeBox(example.replace('ORIGIN', origin), 'Command that starts a check')}
      <p><a href="/api/v1/openapi.json">OpenAPI 3.1 document</a></p>
    </div>
    ${operations}`;
}

function section(method: string, path: string, operation: OpenApiOperation): Markup {
  const { summary, description, parameters = [], responses, security = [] } = operation;
  const needsToken = security.length > 0;
  return markup`<section class="wide parts">
    <h2>${summary}</h2>
    <p><code>${method.toUpperCase()} ${path}</code></p>
    <p class="soft">${description}${needsToken && ' Needs a token.'}</p>
    ${
      parameters.length > 0 &&
      dataTable(
        `Parameters of ${summary}`,
        [
          { name: 'Parameter', cell: ({ name }) => markup`<code>${name}</code>` },
          { name: 'Place', cell: (parameter) => parameter.in },
          {
            name: 'Meaning',
            cell: (parameter) => parameter.description ?? parameter.schema?.description ?? '',
          },
        ],
        parameters,
      )
    }
    ${dataTable(
      `Responses of ${summary}`,
      [
        { name: 'Status', cell: ([status]) => status },
        { name: 'Meaning', cell: ([, response]) => response.description },
      ],
      Object.entries(responses),
    )}
  </section>`;
}
