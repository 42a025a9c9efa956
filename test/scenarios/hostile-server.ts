import { createServer, type AddressInfo } from 'node:net';
import { collect, collectOptions, grade, nameOf } from '../../src/check/index.js';
import { labOptions } from '../../src/cli/lab.js';
import type { CheckResult, Evidence } from '../../src/evidence/index.js';
import { createLab, mailServer, type Scenario } from '../../src/lab/index.js';
import { createCa, issue } from '../../src/pki/index.js';

/** Text that a hostile server wants the output to contain unescaped. */
export const hostileText = `"><script>alert(1)</script>'<img src=x onerror=alert(1)>]]>--><!--&amp;|\x1b[31m\x1b]0;evil\x07\u202eevil\u2066\u200b\u0000`;

const domain = 'hostile.example';
const expect = { verdict: 'fail', exposure: {} as Scenario['expect']['exposure'] } as const;

/**
 * Checks a domain whose greeting, EHLO answer, certificate, policy and TLS-RPT record all
 * say `text`.
 */
export async function checkHostile(
  text = hostileText,
): Promise<{ evidence: Evidence; result: CheckResult }> {
  const scenario: Scenario = {
    domain,
    says: '',
    hosts: [{}],
    sts: { mode: 'enforce', mx: [text.replace(/[\r\n\0]/g, '')] },
    zone: {
      records: `_smtp._tls TXT "v=TLSRPTv1; rua=mailto:${text.replace(/["\\;\0\r\n]/g, '').slice(0, 150)}"`,
    },
    rpt: false,
    expect,
  };
  const lab = await createLab({ scenarios: [scenario] });
  const ca = createCa({ name: text });
  const certificates = [issue(ca, { names: [text, `mx.${domain}`], commonName: text })];
  const server = createServer(
    mailServer({ name: `mx.${domain} ${text}`, greeting: `220 ${text} ESMTP`, certificates }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    lab.attach('198.51.100.1', 25, {
      address: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
    });
    const evidence = await collect(nameOf(domain), collectOptions(labOptions(lab)));
    return { evidence, result: grade(evidence) };
  } finally {
    server.close();
    await lab.close();
  }
}
