import { caseNames, caseOfName } from '../cases/case-names.js';
import { senderCase } from '../cases/all-cases.js';
import { cutText } from '../observation.js';
import type { HostKeyAndChain } from '../receive/case-certificates.js';
import type { CertificateSource } from '../receive/case-certificates.js';
import { policyAnswer } from '../receive/policy-answer.js';
import type { CasePlace } from '../receive/recorder.js';
import type { ObservationBuffer } from './observation-buffer.js';
import type { SlotTable } from './slot-table.js';

export interface PolicySiteOptions {
  readonly zone: string;
  readonly table: SlotTable;
  readonly certificates: CertificateSource;
  readonly buffer: ObservationBuffer;
  /** Returns the wall-clock time in milliseconds since 1970. */
  readonly now: () => number;
}

/** The policy hosts of all slots (RFC 8461 §3.3). */
export class SlotPolicySite {
  constructor(private readonly options: PolicySiteOptions) {}

  /** Returns the case whose policy host has this name, while its policy is published. */
  placeOf(hostName: string): CasePlace | undefined {
    const { zone, table } = this.options;
    const named = caseOfName(hostName, zone);
    const found = named && senderCase(named.caseId);
    const slot = named && table.bySlot(named.slot);
    if (!found?.policy || !slot) return undefined;
    if (found.withdrawn && slot.withdrawnAt !== undefined) return undefined;
    const { policyHost } = caseNames(found.id, slot.slot, zone);
    return hostName.toLowerCase() === policyHost
      ? { senderCase: found, slot: slot.slot }
      : undefined;
  }

  /** Returns the certificate of a policy host; undefined for other names. */
  certificateFor(hostName: string): HostKeyAndChain | undefined {
    const place = this.placeOf(hostName);
    if (!place) return undefined;
    const kind = place.senderCase.policy?.certificate ?? 'valid';
    return this.options.certificates.certificateFor(kind, hostName);
  }

  /** Answers a request, and records it. */
  handle(request: Request, source: string): Response {
    const { hostname, pathname } = new URL(request.url);
    const place = this.placeOf(hostname);
    if (!place) return new Response('Not found\n', { status: 404 });
    const { senderCase: found, slot } = place;
    const answer = policyAnswer(found, { slot, zone: this.options.zone, path: pathname });
    const { status, contentType, location, body } = answer;
    const now = this.options.now();
    this.options.buffer.add({
      kind: 'policy',
      at: new Date(now).toISOString(),
      case: found.id,
      slot,
      source,
      status,
      userAgent: cutText(request.headers.get('user-agent') ?? ''),
      serverName: hostname,
    });
    const headers = new Headers({ 'content-type': contentType });
    if (location !== undefined) headers.set('location', location);
    return new Response(request.method === 'HEAD' ? null : body, { status, headers });
  }
}
