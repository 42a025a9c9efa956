import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { grade } from '../src/check/index.js';
import { checkResultSchema, evidenceSchema } from '../src/evidence/index.js';

/** Output of earlier versions, by version. The current schemas must accept it. */
const folder = 'test/vectors/contracts';
const versions = readdirSync(folder);
/** The schema of the configuration describes input; test/config-schema.test.ts covers it. */
const schemas = readdirSync('schemas')
  .filter((file) => file !== 'hermetic.yaml.json')
  .map((file) => file.replace('.json', ''));

interface Sample {
  readonly version: string;
  readonly file: string;
  readonly schema: string;
  readonly value: Record<string, unknown>;
}

const samples: readonly Sample[] = versions.flatMap((version) =>
  readdirSync(join(folder, version))
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({
      version,
      file,
      schema: file.split('.').slice(0, 2).join('.'),
      value: JSON.parse(readFileSync(join(folder, version, file), 'utf8')) as Sample['value'],
    })),
);

const readSchema = (schema: string): Record<string, unknown> =>
  JSON.parse(readFileSync(`schemas/${schema}.json`, 'utf8')) as Record<string, unknown>;

function validator(schema: string): (value: unknown) => string[] {
  const ajv = new Ajv2020({ allErrors: true, strict: false, formats: { base64: true } });
  formats.default(ajv);
  const validate = ajv.compile(readSchema(schema));
  return (value) => {
    void validate(value);
    return (validate.errors ?? []).map((e) => `${e.instancePath} ${e.message ?? ''}`);
  };
}

test('every schema has a sample of every earlier version', () => {
  for (const version of versions)
    for (const schema of schemas)
      assert.ok(
        samples.some((s) => s.version === version && s.schema === schema),
        `${version}: ${schema}`,
      );
});

for (const { version, file, schema, value } of samples)
  test(`the current ${schema} accepts ${file} of ${version}`, () => {
    const judge = validator(schema);
    assert.deepEqual(judge(value), []);
    // The validator refuses a foreign field, and a missing required field.
    assert.notDeepEqual(judge({ ...value, 'foreign-field': 1 }), []);
    assert.notDeepEqual(judge({ ...value, schema: 'other/1' }), []);
  });

test('earlier evidence is still graded, and earlier results are still read', () => {
  for (const { schema, value, file } of samples) {
    if (schema === 'hermetic.check-1') assert.ok(checkResultSchema.safeParse(value).success, file);
    if (schema !== 'hermetic.evidence-1') continue;
    const read = evidenceSchema.safeParse(value);
    assert.ok(read.success, file);
    const result = JSON.parse(JSON.stringify(grade(read.data))) as unknown;
    assert.deepEqual(validator('hermetic.check-1')(result), [], `${file}, graded today`);
  }
});
