import type { CaseHost, CaseZone, SenderCase } from './sender-case.js';

interface Traits extends Pick<
  SenderCase,
  'id' | 'says' | 'tells' | 'clause' | 'rules' | 'quick' | 'contrast'
> {
  readonly host: CaseHost;
  readonly zone?: CaseZone;
  readonly decidedAt?: SenderCase['decidedAt'];
  readonly evidenceOf?: SenderCase['evidenceOf'];
}

function signed(expect: SenderCase['expect'], traits: Traits): SenderCase {
  return {
    group: 'dane',
    expect,
    evidenceOf: ['dane'],
    decidedAt: 'certificate',
    zone: { dnssec: 'secure' },
    ...traits,
  };
}

/** Domains with TLSA records and without MTA-STS. */
export const daneCases: readonly SenderCase[] = [
  signed('deliver', {
    id: 'dane',
    contrast: 'self-signed',
    says: 'self-signed certificate, matching TLSA 3 1 1',
    tells: 'whether the sender delivers under DANE-EE',
    clause: 'RFC 7672 §3.1.1',
    rules: '[7672-2.2-3]',
    evidenceOf: ['dane', 'dnssec'],
    host: { certificate: 'self-signed', tlsa: ['key'] },
    quick: true,
  }),
  signed('deliver', {
    id: 'dane-expired',
    contrast: 'self-signed',
    says: 'matching TLSA 3 1 1, certificate expired and for another name',
    tells: 'whether the sender ignores dates and names under DANE-EE',
    clause: 'RFC 7672 §3.1.1',
    rules: '[7672-3.1.1-2, 7672-3.2.1-1]',
    host: { certificate: 'nothing-fits', tlsa: ['key'] },
  }),
  signed('deliver', {
    id: 'dane-ta',
    contrast: 'self-signed',
    says: 'TLSA 2 1 1 matches a private issuer, and the name is correct',
    tells: 'whether the sender uses DANE-TA',
    clause: 'RFC 7672 §3.1.2',
    rules: '[7672-3.2.2-1]',
    host: { certificate: 'private-ca', tlsa: ['issuer'] },
  }),
  signed('refuse', {
    id: 'dane-ta-name',
    contrast: 'wrong-name',
    says: 'TLSA 2 1 1 matches a private issuer, but the name is wrong',
    tells: 'whether the sender verifies names under DANE-TA',
    clause: 'RFC 7672 §3.2.2',
    rules: '[7672-3.2.2-1]',
    host: { certificate: 'private-ca-name', tlsa: ['issuer'] },
  }),
  signed('refuse', {
    id: 'dane-mismatch',
    contrast: 'plain',
    says: 'valid certificate, TLSA 3 1 1 of another key',
    tells: 'whether the sender enforces DANE',
    clause: 'RFC 7672 §2.2',
    rules: '[7672-2.2-3]',
    host: { tlsa: ['other-key'] },
    quick: true,
  }),
  signed('refuse', {
    id: 'dane-clear',
    contrast: 'clear',
    says: 'TLSA 3 1 1, no STARTTLS',
    tells: 'whether the sender sends no mail over a stripped connection',
    clause: 'RFC 7672 §2.2',
    rules: '[7672-2.2-1]',
    decidedAt: 'ehlo',
    host: { starttls: 'absent', tlsa: ['key'] },
    quick: true,
  }),
  signed('refuse', {
    id: 'dane-bogus-tlsa',
    contrast: 'plain',
    says: 'valid certificate, but the signature of the TLSA records is wrong',
    tells: 'whether the sender avoids the host after a failed TLSA lookup',
    clause: 'RFC 7672 §2.1.2',
    rules: '[7672-2.1.2-3]',
    decidedAt: 'dns',
    zone: { dnssec: 'bogus-tlsa' },
    host: { tlsa: ['key'] },
  }),
  signed('refuse', {
    id: 'bogus-mx',
    quick: true,
    contrast: 'plain',
    says: 'valid certificate, but every signature of the domain is wrong',
    tells: 'whether the resolver of the sender validates',
    clause: 'RFC 4035 §5.5',
    rules: '[7672-2.1.2-1]',
    evidenceOf: ['dnssec'],
    decidedAt: 'dns',
    zone: { dnssec: 'bogus' },
    host: {},
  }),
  signed('deliver', {
    id: 'dane-insecure',
    contrast: 'self-signed',
    says: 'unsigned zone, TLSA 3 1 1 of another key',
    tells: 'whether the sender ignores TLSA records without DNSSEC',
    clause: 'RFC 7672 §2.2',
    rules: '[7672-2.2-2]',
    zone: { dnssec: 'insecure' },
    host: { certificate: 'self-signed', tlsa: ['other-key'] },
  }),
  signed('deliver', {
    id: 'dane-unusable',
    contrast: 'self-signed',
    says: 'self-signed certificate, TLSA 1 1 1 only',
    tells: 'whether the sender delivers under TLS if no record is usable',
    clause: 'RFC 7672 §2.2',
    rules: '[7672-2.2-5, 7672-3.1.3-1]',
    host: { certificate: 'self-signed', tlsa: ['pkix-usage'] },
  }),
];
