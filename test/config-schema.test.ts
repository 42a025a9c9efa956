import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { parse } from 'yaml';
import { planPublish, planReport, planWatch, planWeb } from '../src/cli/setup/plan-jobs.js';
import { parseConfig } from '../src/server/index.js';

const SCHEMA = 'schemas/hermetic.yaml.json';
const ajv = new Ajv2020({ allErrors: true, strict: false });
formats.default(ajv);
const validate = ajv.compile(JSON.parse(readFileSync(SCHEMA, 'utf8')) as object);

/** Returns the faults that an editor would mark by the schema. */
function faults(text: string): readonly string[] {
  validate((parse(text) as unknown) ?? {});
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

test('the schema accepts every configuration of the documentation', () => {
  const pages = readdirSync('docs').filter((name) => name.endsWith('.md'));
  let count = 0;
  for (const page of pages)
    for (const [, text = ''] of readFileSync(join('docs', page), 'utf8').matchAll(
      /^```yaml\n([\s\S]*?)^```/gm,
    )) {
      if (!isConfiguration(text)) continue;
      count++;
      assert.deepEqual(faults(text), [], `${page}:\n${text}`);
      assert.ok(parseConfig(text).ok, `${page}:\n${text}`);
    }
  assert.ok(count >= 15, `${count} configurations`);
});

const sections = new Set(
  Object.keys(
    (JSON.parse(readFileSync(SCHEMA, 'utf8')) as { readonly properties: object }).properties,
  ),
);

/**
 * Returns whether a YAML block of a page is a configuration of Hermetic: the other blocks
 * configure other programs.
 */
function isConfiguration(text: string): boolean {
  return Object.keys(parse(text) as object).some((section) => sections.has(section));
}

test('the schema accepts the packaged file and every file that setup writes', () => {
  const answers = {
    directory: 'https://ca.example/directory',
    mailServer: '127.0.0.1',
    domain: ['example.com'],
    host: ['mx1.example.com'],
    policyHost: 'policy.example.com',
    agree: true,
    recipient: ['tlsrpt@example.com'],
    alarmTo: 'postmaster@example.com',
    webhook: 'https://chat.example.com/hook',
  };
  const written = [planPublish, planReport, planWatch, planWeb].map((plan) => plan(answers));
  for (const { text, path } of written) {
    assert.deepEqual(faults(text), [], path);
    assert.deepEqual(parseConfig(text).ok, true, path);
    const [, schema = ''] = /^# yaml-language-server: \$schema=(.*)$/m.exec(text) ?? [];
    assert.ok(schema.endsWith(`/${SCHEMA}`) && readFileSync(schema, 'utf8').length > 0, path);
  }
  assert.deepEqual(faults(readFileSync('packaging/hermetic.yaml', 'utf8')), []);
});

test('watch alarms need neither mail nor webhook', () => {
  const { text } = planWatch({
    directory: '',
    mailServer: '127.0.0.1',
    domain: ['one.example', 'two.example'],
  });
  const parsed = parseConfig(text);
  assert.ok(parsed.ok, text);
  assert.deepEqual(parsed.value.jobs['watch'], {
    domains: ['one.example', 'two.example'],
    everyHours: 6,
    notify: {},
    silence: [],
  });
});

test('the schema refuses what the daemon refuses', () => {
  for (const text of [
    'postfx: {version: "3.7"}',
    'postfix: {}',
    'postfix: {version: 3.7}',
    'watch: {domains: []}',
    'watch: {domains: example.com}',
    'metrics: {listen: {port: 1}}',
    'log: {format: xml}',
    'publish: {domains: {example.com: {mx: [a.example], modes: enforce}}}',
    'web: {listen: 443, connections: 0}',
  ]) {
    assert.notDeepEqual(faults(text), [], text);
    assert.ok(!parseConfig(text).ok, text);
  }
});
