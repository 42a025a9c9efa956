import type { CheckResult } from '../../../src/evidence/index.js';
import { grade } from '../../../src/check/grade/grade.js';
import { plantedAddress, plantedEvidence, plantedHost } from './planted-evidence.js';

/** Text of a hostile server that no output may contain unescaped. */
export const hostileText = `"><script>alert(1)</script>'<img src=x onerror=alert(1)>]]>--><!-- &amp;|\x1b[31m\x1b]0;evil\x07\u202eevil\u2066\u200b\u0000\ufffe\r\nSet-Evil: 1`;

/**
 * Returns a result with hostile text in every field that a peer controls. `say` is the
 * hostile text.
 */
export function hostileResult(say: (text: string) => string = (text) => text): CheckResult {
  const text = say(hostileText);
  const result = grade(
    plantedEvidence({
      domain: 'planted.example',
      hosts: [
        plantedHost({
          addresses: [
            plantedAddress({ starttls: 'refused', starttlsReply: { code: 454, lines: [text] } }),
          ],
        }),
      ],
    }),
  );
  const [host] = result.hosts;
  const [address] = host?.addresses ?? [];
  if (!host || !address) throw new TypeError('the planted evidence has a host');
  return {
    ...result,
    domain: `${text}.example`,
    mtaSts: { status: 'found', id: text, mode: 'enforce', maxAge: 1, mx: [text], problems: [text] },
    tlsRpt: { status: 'found', rua: [text], problems: [text] },
    hosts: [
      {
        ...host,
        name: text,
        tlsa: { status: 'usable', records: [text] },
        addresses: [
          { ...address, status: 'inconclusive', reason: text, reply: text },
          {
            ...address,
            starttls: 'offered',
            tls: {
              ...address.tls,
              suites: [{ version: 'TLSv1.2', name: text }],
              groups: [text],
            },
            certificates: [
              {
                keyAlgorithm: text,
                keyBits: 2048,
                signature: text,
                names: [text],
                notBefore: text,
                notAfter: text,
                sni: text,
                chainAsSent: [text],
                chain: 'unknown-ca',
                validity: 'valid',
                nameMatch: 'mismatch',
                dane: 'mismatch',
                spkiSha256: text,
              },
            ],
          },
        ],
      },
    ],
    findings: result.findings.map((f) => ({
      ...f,
      subject: text,
      title: text,
      why: `${f.why} ${text}`,
      steps: f.steps.map((s) => ({ ...s, text: `${s.text} ${text}` })),
    })),
    notLookedAt: [text],
  };
}
