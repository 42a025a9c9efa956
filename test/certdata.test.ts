import assert from 'node:assert/strict';
import test from 'node:test';
import { parseCertdata } from '../tools/certdata.js';

const octal = (text: string): string =>
  [...Buffer.from(text)].map((value) => `\\${value.toString(8).padStart(3, '0')}`).join('');

interface Root {
  readonly name: string;
  readonly trust?: string;
  readonly distrust?: string;
}

function certdata(roots: readonly Root[]): string {
  return roots
    .map(({ name, trust = 'CKT_NSS_TRUSTED_DELEGATOR', distrust }) => {
      const identity = `CKA_ISSUER MULTILINE_OCTAL\n${octal(name)}\nEND\nCKA_SERIAL_NUMBER MULTILINE_OCTAL\n${octal('1')}\nEND\n`;
      const date =
        distrust === undefined
          ? 'CKA_NSS_SERVER_DISTRUST_AFTER CK_BBOOL CK_FALSE\n'
          : `CKA_NSS_SERVER_DISTRUST_AFTER MULTILINE_OCTAL\n${octal(distrust)}\nEND\n`;
      return (
        `CKA_CLASS CK_OBJECT_CLASS CKO_CERTIFICATE\nCKA_LABEL UTF8 "${name}"\n${identity}` +
        `CKA_VALUE MULTILINE_OCTAL\n${octal(`der of ${name}`)}\nEND\n${date}` +
        `CKA_CLASS CK_OBJECT_CLASS CKO_NSS_TRUST\nCKA_LABEL UTF8 "${name}"\n${identity}` +
        `CKA_TRUST_SERVER_AUTH CK_TRUST ${trust}\n`
      );
    })
    .join('\n');
}

test('roots without trust for TLS servers are left out', () => {
  const roots = parseCertdata(
    certdata([{ name: 'mail', trust: 'CKT_NSS_MUST_VERIFY_TRUST' }, { name: 'web' }]),
  );
  assert.deepEqual(
    roots.map(({ label, der }) => [label, der.toString()]),
    [['web', 'der of web']],
  );
});

test('a distrust date is read as the UTC time of the file', () => {
  const [first, second] = parseCertdata(
    certdata([{ name: 'a', distrust: '260415235959Z' }, { name: 'b' }]),
  );
  assert.equal(first?.distrustAfter, Date.UTC(2026, 3, 15, 23, 59, 59));
  assert.equal(second?.distrustAfter, undefined);
});

test('a file without trusted roots is refused', () => {
  assert.throws(() => parseCertdata('# nothing\n'), /no root is trusted/);
});
