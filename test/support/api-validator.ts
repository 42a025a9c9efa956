import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { TestPages } from './testing-pages.js';

/** An OpenAPI document, as far as the validation of answers needs it. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly paths: Readonly<
    Record<
      string,
      Readonly<Record<string, { readonly responses: Readonly<Record<string, Answer>> }>>
    >
  >;
}
interface Answer {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

/** Validates answers by the document that the API itself publishes. */
export async function apiValidator(
  site: TestPages,
): Promise<(route: string, response: Response, body?: unknown) => Promise<boolean>> {
  const document = (await (await site.ask('/api/v1/openapi.json')).json()) as OpenApiDocument;
  assert.match(document.openapi, /^3\.1/);
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  (addFormats as unknown as (instance: Ajv2020) => void)(ajv);
  ajv.addSchema(document, 'api');
  return async (route, response, body) => {
    const [method = '', path = ''] = route.split(' ');
    const type = (response.headers.get('content-type') ?? '').split(';')[0] ?? '';
    const answer = document.paths[path]?.[method]?.responses[String(response.status)];
    const schema = answer?.content?.[type]?.schema;
    assert.ok(schema, `${route} ${response.status} ${type} is not described`);
    const at = `api#/paths/${path.replaceAll('~', '~0').replaceAll('/', '~1')}/${method}/responses/${response.status}/content/${type.replaceAll('/', '~1')}/schema`;
    return ajv.validate({ $ref: at }, body ?? (await response.json()));
  };
}
