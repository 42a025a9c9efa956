import assert from 'node:assert/strict';
import test from 'node:test';
import {
  hyperjumpReader,
  isOpenApi,
  pointerOf,
  publishedDocument,
} from '../../test/support/api-validator.js';
import { TestPages } from '../../test/support/testing-pages.js';

/** A JSON object that a test changes. */
interface Changed {
  [name: string]: Changed;
}

/** Changes that the schema of OpenAPI forbids, each at a different place. */
const faults: Readonly<Record<string, (document: Changed) => unknown>> = {
  'another version': (document) => Object.assign(document, { openapi: '4.0.0' }),
  'no title': (document) => delete document['info']?.['title'],
  'a path without a slash': (document) => Object.assign(document['paths'] ?? {}, { domains: {} }),
  'a response without a description': (document) =>
    delete operation(document)['responses']?.['200']?.['description'],
  'a parameter without a place': (document) =>
    delete operation(document)['parameters']?.['0']?.['in'],
  'an unknown type in a schema': (document) =>
    Object.assign(document['components']?.['schemas']?.['OwnDomain'] ?? {}, { type: 'objekt' }),
  'a security scheme without a type': (document) =>
    delete document['components']?.['securitySchemes']?.['token']?.['type'],
};

function operation(document: Changed): Changed {
  return document['paths']?.['/api/v1/domains/{domain}']?.['get'] ?? {};
}

test('an independent reader of OpenAPI 3.1 accepts the description', async (t) => {
  const site = await TestPages.open(t, { signIn: {} });
  const document = await publishedDocument(site);
  assert.ok(await isOpenApi(document));
  for (const [fault, change] of Object.entries(faults)) {
    const changed = structuredClone(document);
    change(changed as unknown as Changed);
    assert.ok(!(await isOpenApi(changed)), fault);
  }
});

test('every described JSON answer has a schema that refuses a number', async (t) => {
  const site = await TestPages.open(t, { signIn: {} });
  const document = await publishedDocument(site);
  const accepts = hyperjumpReader(document);
  let seen = 0;
  for (const [path, operations] of Object.entries(document.paths))
    for (const [method, { responses }] of Object.entries(operations))
      for (const [status, { content = {} }] of Object.entries(responses))
        for (const type of Object.keys(content).filter((name) => name.endsWith('json'))) {
          seen++;
          const at = pointerOf(['paths', path, method, 'responses', status, 'content', type]);
          assert.ok(!(await accepts(`${at}/schema`, 42)), `${method} ${path} ${status}`);
        }
  assert.ok(seen > 100, String(seen));
});
