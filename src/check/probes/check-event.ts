import type {
  AddressEvidence,
  MtaStsEvidence,
  RouteEvidence,
  TlsRptEvidence,
} from '../../evidence/index.js';

/**
 * A fact that a running check has observed. The events of one check are bounded by its
 * limits of hosts and addresses. Only the complete evidence is graded, not the events.
 */
export type CheckEvent =
  | {
      readonly kind: 'route';
      readonly route: RouteEvidence['kind'];
      readonly dnssec: RouteEvidence['dnssec'];
      /** MX hosts that will be probed. */
      readonly hosts: readonly string[];
    }
  | {
      readonly kind: 'host';
      readonly host: string;
      /** Addresses that will be visited. */
      readonly addresses: readonly string[];
    }
  | {
      readonly kind: 'visit';
      readonly host: string;
      readonly address: string;
    }
  | {
      readonly kind: 'address';
      readonly host: string;
      readonly address: string;
      readonly status: AddressEvidence['status'];
      /** The STARTTLS state on the first connection; undefined without a connection. */
      readonly starttls?: AddressEvidence['connections'][number]['starttls'] | undefined;
      readonly connections: number;
    }
  | {
      readonly kind: 'mta-sts';
      readonly status: MtaStsEvidence['status'];
      readonly mode?: string | undefined;
    }
  | { readonly kind: 'tls-rpt'; readonly status: TlsRptEvidence['status'] };
