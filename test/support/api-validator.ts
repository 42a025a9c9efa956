import assert from 'node:assert/strict';
import '@hyperjump/json-schema/formats';
import {
  registerSchema,
  setShouldValidateFormat,
  unregisterSchema,
  validate,
} from '@hyperjump/json-schema/openapi-3-1';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { TestPages } from './testing-pages.js';

/** An OpenAPI document, limited to the members that the validation of answers needs. */
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

/** Returns whether a value satisfies the schema at a JSON pointer of the document. */
type Reader = (pointer: string, value: unknown) => Promise<boolean> | boolean;

/** Returns the description that the API itself publishes. */
export async function publishedDocument(site: TestPages): Promise<OpenApiDocument> {
  return (await (await site.ask('/api/v1/openapi.json')).json()) as OpenApiDocument;
}

/**
 * Returns a function that validates answers against the document that the API itself
 * publishes, with two readers that share no code. The function fails if the readers
 * differ.
 */
export async function apiValidator(
  site: TestPages,
): Promise<(route: string, response: Response, body?: unknown) => Promise<boolean>> {
  const document = await publishedDocument(site);
  const readers = [ajvReader(document), hyperjumpReader(document)];
  return async (route, response, body) => {
    const [method = '', path = ''] = route.split(' ');
    const type = (response.headers.get('content-type') ?? '').split(';')[0] ?? '';
    const answer = document.paths[path]?.[method]?.responses[String(response.status)];
    const schema = answer?.content?.[type]?.schema;
    assert.ok(schema, `${route} ${response.status} ${type} is not described`);
    const steps = ['paths', path, method, 'responses', response.status, 'content', type, 'schema'];
    const value: unknown = body ?? (await response.json());
    const verdicts = new Set<boolean>();
    for (const read of readers) verdicts.add(await read(pointerOf(steps), value));
    assert.equal(verdicts.size, 1, `the readers differ about ${route}`);
    return verdicts.has(true);
  };
}

/** Returns a JSON pointer (RFC 6901). */
export function pointerOf(steps: readonly (string | number)[]): string {
  const escaped = steps.map((step) => String(step).replaceAll('~', '~0').replaceAll('/', '~1'));
  return `/${escaped.join('/')}`;
}

function ajvReader(document: OpenApiDocument): Reader {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  (addFormats as unknown as (instance: Ajv2020) => void)(ajv);
  ajv.addSchema(document, 'api');
  return (pointer, value) => ajv.validate({ $ref: `api#${pointer}` }, value);
}

const hyperjumpName = 'https://api.example/openapi.json';

/** Returns an implementation of OpenAPI 3.1 without ajv. */
export function hyperjumpReader(document: OpenApiDocument): Reader {
  unregisterSchema(hyperjumpName);
  // The schemas contain no `$schema`, so the document's dialect applies.
  const dialect = 'https://spec.openapis.org/oas/3.1/dialect/base';
  registerSchema(document as never, hyperjumpName, dialect);
  setShouldValidateFormat(true);
  return async (pointer, value) => {
    const accepts = await validate(`${hyperjumpName}#${encodeURI(pointer)}`);
    return accepts(value as never).valid;
  };
}

/** Returns whether a document satisfies the schema of OpenAPI 3.1 and its dialect. */
export async function isOpenApi(document: OpenApiDocument): Promise<boolean> {
  const accepts = await validate('https://spec.openapis.org/oas/3.1/schema-base');
  return accepts(document as never).valid;
}
