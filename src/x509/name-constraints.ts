import { equalBytes } from '../base/index.js';
import { DerReader } from './der-reader.js';
import type { Certificate, NameConstraints, NameSubtrees } from './types.js';

const DNS = 2;
const DIRECTORY = 4;
/** Comparisons of one name with one subtree. */
const MAX_WORK = 100_000;

/** The same pair stands in many paths, and its names and subtrees are many. */
const verdicts = new WeakMap<NameConstraints, WeakMap<Certificate, boolean>>();

/** True when every name of `certificate` is one its CA may vouch for (RFC 5280 §4.2.1.10). A constraint on a form we do not read and the certificate has: false. */
export function namesPermitted(certificate: Certificate, constraints: NameConstraints): boolean {
  const known = verdicts.get(constraints) ?? new WeakMap<Certificate, boolean>();
  verdicts.set(constraints, known);
  const permitted = known.get(certificate) ?? judge(certificate, constraints);
  known.set(certificate, permitted);
  return permitted;
}

function judge(certificate: Certificate, { permitted, excluded }: NameConstraints): boolean {
  if (certificate.dnsNames.length * (permitted.dns.length + excluded.dns.length) > MAX_WORK)
    return false;
  const limits = permitted.kinds.includes(DNS) ? permitted.dns : undefined;
  const dns = certificate.dnsNames.every(
    (name) =>
      (!limits || limits.some((base) => inside(name, base))) &&
      !excluded.dns.some((base) => reaches(name, base)),
  );
  return (
    dns &&
    directoryPermitted(certificate, permitted, excluded) &&
    !otherForms(certificate, permitted) &&
    !otherForms(certificate, excluded)
  );
}

/** Adding labels on the left satisfies a DNS constraint; '' holds every name. */
function inside(name: string, base: string): boolean {
  return base === '' || name === base || name.endsWith(`.${base}`);
}

/** True when the name, or a name its wildcard stands for, lies in an excluded subtree. */
function reaches(name: string, base: string): boolean {
  if (inside(name, base)) return true;
  return (
    name.startsWith('*.') &&
    base.endsWith(name.slice(1)) &&
    !base.slice(0, -name.length + 1).includes('.')
  );
}

/** Subject names are compared octet by octet: stricter than RFC 5280 §7.1 for what is permitted, so any exclusion counts as reached. */
function directoryPermitted(
  { subject }: Certificate,
  permitted: NameSubtrees,
  excluded: NameSubtrees,
): boolean {
  const body = new DerReader(subject).enter().rest;
  if (body.length === 0) return true;
  if (excluded.kinds.includes(DIRECTORY)) return false;
  return (
    !permitted.kinds.includes(DIRECTORY) ||
    permitted.directory.some((base) => equalBytes(body.subarray(0, base.length), base))
  );
}

function otherForms({ nameKinds }: Certificate, { kinds }: NameSubtrees): boolean {
  return kinds.some((kind) => kind !== DNS && nameKinds.includes(kind));
}
