/** Writes the published JSON Schemas from the code: `node dist/tools/schemas.js`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { jsonSchemas } from '../src/evidence/index.js';

mkdirSync('schemas', { recursive: true });
for (const [file, schema] of Object.entries(jsonSchemas())) {
  writeFileSync(`schemas/${file}`, await format(JSON.stringify(schema), { parser: 'json', printWidth: 140 }));
}
